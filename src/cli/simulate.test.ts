import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { widthOf } from '../core/diagnostics/wrap.ts';
import type { SimulationView } from './reports/simulation-view.ts';
import { runCli } from './run-cli.ts';
import { silentTerminal } from './terminal/silent-terminal.ts';
import type { Terminal } from './terminal/terminal.ts';

const directory = mkdtempSync(join(tmpdir(), 'perch-simulate-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `perch simulate` with few visitors; with `terminal` on one that is different from a pipe of 80 columns. */
async function simulate(args: readonly string[], terminal: Partial<Terminal> = {}, signal = new AbortController().signal): Promise<Said> {
  const out: string[] = [];
  const err: string[] = [];
  const said = silentTerminal({
    out: (text) => out.push(`${text}\n`),
    raw: (text) => out.push(text),
    err: (text) => err.push(`${text}\n`),
    ...terminal,
  });
  const line = ['simulate', '--visitors-per-minute', '20', ...args];
  const code = await runCli(line, { terminal: said, signal, environment: {}, runsUntilEnded: () => {} });
  return { code, out: out.join(''), err: err.join('') };
}

async function view(...args: readonly string[]): Promise<SimulationView> {
  return JSON.parse((await simulate([...args, '-o', 'json'])).out) as SimulationView;
}

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

function release(steps: string, name = 'web'): string {
  return `apiVersion: perch.dev/v1alpha1
kind: CanaryRelease
metadata: {name: ${name}}
spec:
  service: {host: ${name}, port: 80}
  stable: {subset: v1}
  canary: {subset: v2}
  route: {adopt: {virtualService: ${name}}}
  steps: ${steps}
`;
}

describe('for people', () => {
  test('a chart, what happened, and a verdict for each scheme; 80 columns are enough', async () => {
    const { code, out, err } = await simulate([]);
    expect([code, err]).toEqual([0, '']);
    for (const line of out.split('\n')) expect(widthOf(line), line).toBeLessThanOrEqual(80);
    expect(out).toMatch(/^ {2}perch simulate · 1,\d{3} visitors in 1h20m · seed 1$/m);
    expect(out).toMatch(/^ {3}10 % {2}█▒+·+ +\d\d\.\d {2}█▒+·+ +\d\d\.\d {2}█/m);
    expect(out).toMatch(/^ {2}visitors who went back .* none$/m);
    expect(out).toMatch(/^ {2}✗ article +\d\d\.\d % of visitors where \d0 % was asked; \d+\.\d % went back$/m);
    expect(out).toMatch(/^ {2}✓ Perch +at most \d\.\d points off, as chance has it; nobody went back$/m);
  });

  test.each([60, 80, 132])('one scheme, in %d columns', async (columns) => {
    const { out } = await simulate(['--scheme', 'perch', '--steps', '50,100'], { size: () => ({ columns, rows: 24 }) });
    for (const line of out.split('\n')) expect(widthOf(line), line).toBeLessThanOrEqual(columns);
    expect(out).not.toContain('article');
  });

  test('on a terminal a bar shows how far it is, and leaves nothing behind', async () => {
    const { out } = await simulate(['--visitors-per-minute', '200', '--scheme', 'perch'], { interactive: true });
    expect(out).toMatch(/simulating ━/);
    // The region is cleared, and the cursor is back, before the report begins.
    const end = out.lastIndexOf('\u001b[?25h');
    expect(out.slice(0, end).endsWith('\r\u001b[J')).toBe(true);
    expect(out.slice(end)).toContain('perch simulate');
    expect(out.slice(end)).not.toContain('simulating');
  });

  test('an hour at 10 %: the exposure of a short primary cookie creeps, that of an id does not', async () => {
    const steps = ['--steps', '10,10,10,10,10,10', '--interval', '1m', '--visitors-per-minute', '200'];
    const { schemes } = await view(...steps, '--scheme', 'flagger-primary', 'perch');
    const [flagger = [], perch = []] = schemes.map((each) => each.steps.map(({ share = 0 }) => share));
    // 2,800 visitors are active in a step: the sd at 10 % is 0.57 points. Measured in 1,000,000: 13.4 and 19.4.
    expect(flagger[5]).toBeGreaterThan((flagger[0] ?? 0) + 3);
    for (const share of perch) expect(Math.abs(share - 10)).toBeLessThan(3.3 * 0.57);
  });
});

test('where nobody came nothing is judged', async () => {
  const { code, out } = await simulate(['--visitors-per-minute', '1', '--hold', '1s', '--steps', '5', '--scheme', 'perch', 'article']);
  expect(code).toBe(0);
  expect(out).toMatch(/^ {4}5 % {2}·+ {5}- {2}·+ {5}-$/m);
  expect(out.match(/^ {2}- (?:Perch|article) +nobody came$/gm)).toHaveLength(2);
  expect(out).not.toMatch(/✓|✗|NaN|Infinity/);
});

describe('for programs', () => {
  test('json has everything, and is the same for the same seed', async () => {
    const first = await view('--seed', '7');
    expect(first).toMatchObject({ seed: 7, visitorsPerMinute: 20, cookieless: 0.05, racing: 0, intervalMs: 600_000 });
    expect(first.schemes.map(({ scheme }) => scheme)).toEqual(['article', 'flagger', 'flagger-primary', 'perch']);
    const [article] = first.schemes;
    expect(article?.steps).toHaveLength(8);
    expect(article?.steps[0]?.share).toBeCloseTo((100 * (article?.steps[0]?.exposed ?? 0)) / (article?.steps[0]?.visitors ?? 1), 9);
    expect(await view('--seed', '7')).toEqual(first);
    expect((await view('--seed', '8')).schemes).not.toEqual(first.schemes);
  });

  test('csv has a line for each step of each scheme, with the numbers of json', async () => {
    const { out } = await simulate(['-o', 'csv']);
    const [head = '', ...rows] = out.trimEnd().split('\n');
    expect(rows).toHaveLength(4 * 8);
    const first = Object.fromEntries(head.split(',').map((name, index) => [name, rows[0]?.split(',')[index]]));
    const figures = (await view()).schemes[0]?.steps[0];
    expect(first).toMatchObject({ scheme: 'article', step: '1', weight: '10', hold_ms: '600000', visitors: String(figures?.visitors) });
    expect([first['exposed'], first['flip_backs'], first['mixed_pages']]).toEqual(
      [figures?.exposed, figures?.flipBacks, figures?.mixedPages].map(String),
    );
  });

  test('svg has a panel for each scheme, and says in words what it shows', async () => {
    const { out } = await simulate(['-o', 'svg', '--scheme', 'article', 'perch', '--steps', '10,100']);
    expect(out).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"[^>]*>\n<title>/);
    expect(out).toMatch(/<desc>article: 10 asked, \d\d\.\d seen; 100 asked, 100\.0 seen\. Perch: 10 asked/);
    expect(out.match(/class="title"/g)).toHaveLength(2);
    expect(out.trimEnd()).toMatch(/<\/svg>$/);
    // Well-formed: every element that opens closes.
    const open: string[] = [];
    for (const [, close, name = '', rest = ''] of out.matchAll(/<(\/?)(\w+)([^>]*)>/g)) {
      if (close === '/') expect(open.pop()).toBe(name);
      else if (!rest.endsWith('/')) open.push(name);
    }
    expect(open).toEqual([]);
  });
});

describe('the steps of a release', () => {
  test('are those of its file; manual ones last as long as --hold says, and Flagger’s interval is the shortest', async () => {
    const path = file('release.yaml', release('[{weight: 5, hold: 20m}, {weight: 50, hold: manual}, {weight: 100, hold: 1h}]'));
    const { steps, intervalMs } = await view('-f', path, '--hold', '15m');
    expect(steps).toEqual([
      { weight: 5, holdMs: 1_200_000 },
      { weight: 50, holdMs: 900_000 },
      { weight: 100, holdMs: 3_600_000 },
    ]);
    expect(intervalMs).toBe(900_000);
  });

  test('of two releases none is taken', async () => {
    const steps = '[{weight: 100, hold: 1m}]';
    const path = file('two.yaml', `${release(steps)}---\n${release(steps, 'shop')}`);
    expect(await simulate(['-f', path])).toMatchObject({
      code: 2,
      out: '',
      err: `error: ${path} holds 2 releases (web, shop): give a file with one of them\n`,
    });
  });

  test('a release with a mistake is shown with its line', async () => {
    const { code, out, err } = await simulate(['-f', file('wrong.yaml', release('[{weight: 50, hold: 1m}, {weight: 40, hold: 1m}]'))]);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/wrong\.yaml:9:\d+ +PERCH12\d\d/);
    expect(err).toContain('nothing was simulated');
  });

  test('a file without a release, and one that is not there', async () => {
    const gateway =
      'apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g}\nspec: {servers: [{port: {number: 80, name: h, protocol: HTTP}, hosts: ["*"]}]}\n';
    expect(await simulate(['-f', file('gateway.yaml', gateway)])).toMatchObject({
      code: 2,
      err: expect.stringContaining('there is no CanaryRelease in'),
    });
    expect(await simulate(['-f', join(directory, 'none.yaml')])).toMatchObject({
      code: 2,
      err: expect.stringContaining('there is no such file'),
    });
  });
});

test.each([
  ['a weight of nothing', ['--steps', '0,100'], /weights in percent with commas between/],
  ['words for weights', ['--steps', 'ten'], /weights in percent with commas between/],
  ['a finer weight than there is', ['--steps', '0.05'], /in steps of 0\.1/],
  ['weights that decrease', ['--steps', '50,10'], /must not decrease/],
  ['a hold of nothing', ['--hold', '0s'], /1s or longer/],
  ['no visitors', ['--visitors-per-minute', '0'], /at least 1/],
  ['a scheme that does not exist', ['--scheme', 'argo'], /Allowed choices are article, flagger, flagger-primary, perch/],
  ['more than all', ['--racing', '101'], /not a percentage/],
  ['steps from two places', ['--steps', '10', '-f', 'release.yaml'], /cannot be used with option '--steps/],
])('%s: exit 2, and what would be right', async (_, args, message) => {
  const { code, out, err } = await simulate(args);
  expect([code, out]).toEqual([2, '']);
  expect(err).toMatch(message);
});

test('Ctrl-C ends it: exit 130, no half report', async () => {
  const wish = new AbortController();
  const running = simulate(['--visitors-per-minute', '1000000'], {}, wish.signal);
  setTimeout(() => wish.abort(), 20);
  expect(await running).toEqual({ code: 130, out: '', err: '' });
});
