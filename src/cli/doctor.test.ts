import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { PerchProcess, perch } from '../../test/harness/perch-process.ts';
import { startVersion, type VersionServer } from '../../test/harness/version-server.ts';
import { runCli } from './run-cli.ts';
import { silentTerminal } from './terminal/silent-terminal.ts';

const servers: VersionServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function site(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = await startVersion('', answer);
  servers.push(server);
  return `http://127.0.0.1:${server.port}/`;
}

/** Answers with the version by `isCanary`, and pins what it drew: the visitor's number of the day says which. */
function pinning(isCanary: (visitor: number) => boolean): (request: IncomingMessage, response: ServerResponse) => void {
  let visitors = 0;
  return ({ headers }, response) => {
    const known = /id=\d{12}-(\d+)/.exec(headers.cookie ?? '')?.[1];
    const visitor = known === undefined ? visitors++ : Number(known);
    if (known === undefined) response.setHeader('set-cookie', `id=202611280000-${visitor}; Path=/; Max-Age=34560000`);
    response.end(isCanary(visitor) ? 'v2' : 'v1');
  };
}

const FAST = ['--rate', '1000', '--visitors', '60', '--requests', '3'];

describe('perch doctor', () => {
  test('of a site that pins its visitors: the verdict, the table, exit 0', async () => {
    const url = await site(pinning((visitor) => visitor % 5 === 0));
    const { code, stdout, stderr } = await perch(['doctor', url, ...FAST]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /^\n {2}Pins the visitor: 20\.0 % of 60 visitors were on v2 at first sight, and nobody moved in 120 returns\.\n/,
    );
    expect(stdout).toContain('versions v1 48, v2 12 of 60 first visits; told by the whole page (a guess: nobody said what tells them)');
    expect(stdout).toMatch(/ {2}3 {10}60 {9}20\.0 % {4}11\.8 … 31\.8 % {3}31\.5 … 68\.3 %\n/);
    expect(stdout).toMatch(/ {2}id {5}a visitor {3}\d+ for \d+ {3}400d {4}\/ {6}-\n/);
    expect(stdout).not.toContain('Findings');
  });

  test('for programs, with findings: exit 1, and the same numbers', async () => {
    let asked = 0;
    const url = await site((_, response) => response.setHeader('x-version', asked++ % 4 === 1 ? '2' : '1').end('hello'));
    const { code, stdout, stderr } = await perch(['doctor', url, ...FAST, '--version-header', 'X-Version', '--canary', '2', '-o', 'json']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: \d findings? \(perch explain CODE says more\)\n$/);
    const found = JSON.parse(stdout);
    expect(found).toMatchObject({
      url,
      stickiness: { verdict: 'notSticky', canary: { version: '2', why: 'as you say' }, firstVisits: 60 },
      told: { how: 'the header x-version', isGuess: false },
      cookies: [],
      run: { visitors: 60, requests: 3, rate: 1000 },
    });
    expect(found.stickiness.drift).toHaveLength(3);
    expect(found.findings[0]).toMatchObject({ code: 'PERCH5001', severity: 'error' });
  });

  test('Ctrl-C ends it with what was seen: exit 130', async () => {
    let asked = 0;
    const url = await site((request, response) => {
      asked++;
      pinning(() => false)(request, response);
    });
    const running = new PerchProcess(['doctor', url, '--rate', '200']);
    await expect.poll(() => asked).toBeGreaterThan(20);
    expect(await running.stop('SIGINT')).toBe(130);
    expect(running.stdout).toMatch(/Only one version seen \(v1\)/);
    expect(running.stdout).toMatch(/sent {5}\d+ requests in [\d.]+ s, all from one address; ended early: it was interrupted\n/);
  });

  test.each([
    [
      ['http://shop.example/'],
      /shop\.example is not this machine, and would get about 1,162 requests, 20 a second: add --yes if you may probe it/,
    ],
    [['localhost:8080'], /localhost:8080 is no http or https address: did you mean http:\/\/localhost:8080\?/],
    [['http://anna:secret@localhost/'], /has a user name or password in it: leave them out/],
    [['http://localhost:1/'], /http:\/\/localhost:1\/ cannot be probed: nothing listens there/],
    [['http://localhost/', '--visitors', '0'], /not a whole number from 1 to 10000/],
    [['http://localhost/', '--visitors', '9999', '--requests', '99'], /about 990,063 requests, 20 a second: ask for fewer/],
    [['http://localhost/', '--version-pattern', 'v[0-9]'], /--version-pattern v\[0-9\]: it has no capturing group/],
    [['http://localhost/', '--version-pattern', '(v)', '--version-header', 'x'], /cannot be used with/],
  ])('%s: exit 2, with what to do', async (args, message) => {
    const printed: string[] = [];
    const errors: string[] = [];
    const terminal = silentTerminal({ out: (text) => printed.push(text), err: (text) => errors.push(text) });
    const context = { terminal, signal: new AbortController().signal, environment: {}, runsUntilEnded: () => {} };
    expect(await runCli(['doctor', ...args], context)).toBe(2);
    expect(printed).toEqual([]);
    expect(errors.join('\n')).toMatch(message);
  });
});
