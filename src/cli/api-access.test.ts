import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PerchProcess, perch } from '../../test/harness/perch-process.ts';
import { makeSelfSigned } from '../../test/harness/self-signed.ts';

const LOOK = 'look-6f1c1d3b0f0e4a7c9a5b8d2e4f607182';
const ACT = 'act-93a4b5c6d7e8f9016f1c1d3b0f0e4a7c9';
const UNKNOWN = 'none-0f0e4a7c9a5b8d2e4f6071826f1c1d3b';

let folder: string;
const at = (name: string): string => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'perch-access-'));
  makeSelfSigned(folder);
  writeFileSync(at('tokens'), `# ours\nview ${LOOK}\nact ${ACT}\n`, { mode: 0o600 });
  writeFileSync(at('look'), `${LOOK}\n`, { mode: 0o600 });
  writeFileSync(at('act'), `act ${ACT}\n`, { mode: 0o600 });
  writeFileSync(at('unknown'), UNKNOWN, { mode: 0o600 });
  writeFileSync(at('empty'), '\n');
  writeFileSync(
    at('vs.yaml'),
    'apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: reviews}\nspec: {hosts: [reviews], http: [{route: [{destination: {host: reviews}}]}]}\n',
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

const serveArgs = (...more: readonly string[]): readonly string[] => ['serve', '--api-port', '0', '--proxy-port', '0', ...more];

describe('perch serve refuses to stand open, with one line and its code', () => {
  test.each<[string, readonly string[], RegExp]>([
    [
      'nothing',
      [],
      /^error: --api-bind 0\.0\.0\.0 opens the API to the network.*--api-tls-cert FILE.*--api-token-file FILE \(PERCH4092\)\n$/,
    ],
    ['tokens alone', ['--api-token-file', 'tokens'], /it takes TLS: .* \(PERCH4092\)\n$/],
    ['plain HTTP alone', ['--api-insecure-http'], /it takes tokens: --api-token-file FILE \(PERCH4092\)\n$/],
    ['a certificate without key', ['--api-tls-cert', 'tls.crt'], /^error: --api-tls-cert and --api-tls-key go together\n$/],
    [
      'TLS and plain HTTP',
      ['--api-tls-cert', 'tls.crt', '--api-tls-key', 'tls.key', '--api-insecure-http'],
      /^error: --api-insecure-http is plain HTTP/,
    ],
    ['a token file without tokens', ['--api-insecure-http', '--api-token-file', 'empty'], /empty has no token: .* \(PERCH4093\)\n$/],
    [
      'a key of another certificate',
      ['--api-tls-cert', 'tls.crt', '--api-tls-key', 'empty', '--api-token-file', 'tokens'],
      /no certificate with its key: .* \(PERCH4094\)\n$/,
    ],
  ])('with %s', async (name, options, message) => {
    const files = options.map((option) => (option.startsWith('--') ? option : at(option)));
    const { code, stdout, stderr } = await perch(serveArgs('--data', at(`data ${name}`), '--api-bind', '0.0.0.0', ...files));
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  test.each([
    ['--api-bind', 'perch.example', /not an IP address/],
    ['--api-host', 'https://perch.example', /not a host name/],
  ])('%s %s', async (option, value, message) => {
    const { code, stderr } = await perch(serveArgs(option, value));
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});

describe('a runtime on all addresses, with TLS and tokens', () => {
  let serving: PerchProcess;
  let server: string;

  beforeAll(async () => {
    const place = [
      '--api-bind',
      '0.0.0.0',
      '--api-tls-cert',
      at('tls.crt'),
      '--api-tls-key',
      at('tls.key'),
      '--api-token-file',
      at('tokens'),
    ];
    serving = new PerchProcess(serveArgs('--data', at('data'), '--access-log', at('access.log'), '-f', at('vs.yaml'), ...place));
    [, server = ''] = await serving.until(/ API +(https:\/\/127\.0\.0\.1:\d+)\/api\/v1\/releases\n/);
  });
  afterAll(async () => {
    expect(await serving.stop()).toBe(0);
    // Whatever it was asked, and however.
    for (const token of [LOOK, ACT, UNKNOWN]) expect(serving.stdout + serving.stderr).not.toContain(token);
  });

  const ask = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    perch([...args, '--server', server], { PERCH_CA_FILE: at('tls.crt'), ...env });

  test('its certificate has to be vouched for', async () => {
    const { code, stderr } = await perch(['get', 'vs', '--server', server, '--token-file', at('look')]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/its certificate is not trusted.*--ca-file FILE/)]);
    expect((await perch(['get', 'vs', '--server', server, '--token-file', at('look'), '--ca-file', at('tls.crt')])).stdout).toMatch(
      /reviews/,
    );
    const none = await ask(['get', 'vs'], { PERCH_CA_FILE: at('empty') });
    expect(none).toMatchObject({ code: 2, stderr: expect.stringMatching(/^error: .*empty has no certificate in PEM/) });
  });

  test('without a token, or with one that it does not know, it says so', async () => {
    const without = await ask(['get', 'vs']);
    expect(without).toMatchObject({
      code: 2,
      stderr: `error: ${server} asks who you are: name a file with your token, --token-file FILE or PERCH_TOKEN_FILE (PERCH4090)\n`,
    });
    const unknown = await ask(['get', 'vs', '--token-file', at('unknown')]);
    expect(unknown).toMatchObject({ code: 2, stderr: `error: ${server} does not know the token of ${at('unknown')} (PERCH4090)\n` });
    for (const [file, message] of [
      ['tokens', /has more than one token/],
      ['empty', /has no token/],
      ['none', /cannot be read: ENOENT/],
    ] as const) {
      const { code, stderr } = await ask(['get', 'vs', '--token-file', at(file)]);
      expect([file, code, stderr]).toEqual([file, 2, expect.stringMatching(message)]);
    }
  });

  test('who may look looks and does not act; who may act acts', async () => {
    expect(await ask(['get', 'vs'], { PERCH_TOKEN_FILE: at('look') })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('reviews'),
    });
    const refused = await ask(['apply', '-f', at('vs.yaml'), '--token-file', at('look')]);
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /^error: https:.* refuses it: this token may look, and PUT \/api\/v1\/objects acts; .* \(PERCH4091\)\n$/,
      ),
    });
    expect(await ask(['apply', '-f', at('vs.yaml'), '--token-file', at('act')])).toMatchObject({ code: 0 });
    expect(await ask(['delete', 'vs', 'reviews', '--token-file', at('act')])).toMatchObject({ code: 0 });
  });

  test('an address without scheme is asked by http on this machine only, once there is a token', async () => {
    const { stderr } = await perch(['get', 'vs', '--server', 'perch.invalid:1', '--token-file', at('look')]);
    expect(stderr).toMatch(/cannot reach Perch at https:\/\/perch\.invalid:1 /);
    const local = await perch(['get', 'vs', '--server', '127.0.0.1:1', '--token-file', at('look')]);
    expect(local.stderr).toMatch(/cannot reach Perch at http:\/\/127\.0\.0\.1:1 /);
  });

  test('a token that is misplaced is in no log', async () => {
    const call = (path: string, headers: Readonly<Record<string, string>>) =>
      new Promise<number | undefined>((resolve, reject) => {
        const url = new URL(path, server);
        request(url, { headers, rejectUnauthorized: false, agent: false }, (answer) => {
          answer.resume().on('end', () => resolve(answer.statusCode));
        })
          .on('error', reject)
          .end();
      });
    expect(await call(`/api/v1/releases?access_token=${ACT}`, {})).toBe(401);
    expect(await call(`/api/v1/releases/${ACT}/${ACT}?by=${LOOK}`, { authorization: `Bearer ${UNKNOWN}` })).toBe(401);
    expect(await call('/api/v1/releases', { authorization: `Bearer ${ACT}`, host: 'evil.example' })).toBe(403);
    expect(await call('/api/v1/releases', { authorization: `Bearer ${ACT}` })).toBe(200);
  });
});

test('a token is for a runtime, not for a cluster', async () => {
  const { code, stderr } = await perch(['get', '--context', 'none', '--token-file', at('look')]);
  expect([code, stderr]).toEqual([2, expect.stringMatching(/^error: --token-file is for an embedded runtime/)]);
});
