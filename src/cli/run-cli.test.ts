import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { widthOf } from '../core/diagnostics/wrap.ts';
import { runCli } from './run-cli.ts';
import { colourStyle, plainStyle } from './terminal/style.ts';
import type { Terminal } from './terminal/terminal.ts';

interface Said {
  readonly code: number;
  readonly out: readonly string[];
  readonly err: readonly string[];
}

/** Runs a command line on a terminal of so many columns; undefined: in a pipe. */
async function runOn(columns: number | undefined, ...args: readonly string[]): Promise<Said> {
  const out: string[] = [];
  const err: string[] = [];
  const terminal: Terminal = {
    out: (text) => out.push(text),
    err: (text) => err.push(...text.split('\n')),
    raw: (text) => out.push(text),
    interactive: false,
    style: plainStyle,
    errStyle: columns === undefined ? plainStyle : colourStyle,
    errColour: columns !== undefined,
    outColumns: () => columns ?? Number.POSITIVE_INFINITY,
    errColumns: () => columns,
    size: () => ({ columns: columns ?? 80, rows: 24 }),
    onResize: () => () => {},
  };
  const signal = new AbortController().signal;
  return { code: await runCli(args, { terminal, signal, environment: {}, runsUntilEnded: () => {} }), out, err };
}

/** An address at which nothing listens. */
async function nowhere(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

test('an error is one line in a pipe; on a terminal it is broken between words and hangs under itself', async () => {
  const server = await nowhere();
  const piped = await runOn(undefined, 'get', '--server', server);
  expect(piped).toMatchObject({ code: 2, out: [] });
  expect(piped.err).toHaveLength(1);
  expect(piped.err[0]).toMatch(/^error: cannot reach Perch at .* \(nothing listens there\): start it with perch serve -f DIR/);

  const shown = await runOn(60, 'get', '--server', server);
  expect(shown.err.length).toBeGreaterThan(1);
  for (const line of shown.err) expect(widthOf(line), line).toBeLessThanOrEqual(60);
  for (const line of shown.err.slice(1)) expect(line).toMatch(/^ {7}\S/);
  const plain = shown.err.join(' ').replaceAll(colourStyle.bad('error:'), 'error:').replaceAll(/ +/g, ' ');
  expect(plain).toBe(piped.err[0]);
});

test('several reasons are several lines, each an error', async () => {
  const { code, err } = await runOn(undefined, 'delete', 'vs/web', '-f', 'nowhere.yaml');
  expect([code, err]).toEqual([2, ['error: name objects, or give files with -f, not both']]);
  const files = await runOn(80, 'apply', '-f', 'nowhere-1.yaml', '-f', 'nowhere-2.yaml');
  expect(files.err.filter((line) => line.includes('PERCH4014'))).toHaveLength(2);
  expect(files.err.at(-1)).toContain('2 errors; nothing was applied');
});

test('a mistake in the command line is said in one line, with the command that has help', async () => {
  expect(await runOn(undefined, 'promote')).toEqual({
    code: 2,
    out: [],
    err: ["error: missing required argument 'release'", '(perch promote --help says more)'],
  });
  expect((await runOn(80, 'get', '--ouptut', 'json')).err[0]).toBe(
    `${colourStyle.bad('error:')} unknown option '--ouptut': did you mean --output?`,
  );
});
