import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { perch } from '../../test/harness/perch-process.ts';
import { createProgram } from './run-cli.ts';
import { plainStyle } from './style.ts';
import type { Terminal } from './terminal.ts';

const terminal: Terminal = {
  out: () => {},
  err: () => {},
  raw: () => {},
  interactive: false,
  style: plainStyle,
  errStyle: plainStyle,
  errColour: false,
  size: () => ({ columns: 80, rows: 24 }),
  onResize: () => () => {},
};
const program = createProgram({ terminal, signal: new AbortController().signal, environment: {}, runsUntilEnded: () => {} });
const COMMANDS = program.commands.map((command) => command.name());

test('there is every command that the manual names', () => {
  const named = 'demo serve apply get describe status promote pause resume rollback retry delete version';
  expect(COMMANDS).toEqual(named.split(' '));
});

test.each(COMMANDS)('perch %s --help: what it does, and examples to copy', async (name) => {
  const { code, stdout, stderr } = await perch([name, '--help']);
  expect([code, stderr]).toEqual([0, '']);
  const [, examples = ''] = stdout.split('\nExamples:\n');
  const lines = examples.trimEnd().split('\n');
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) expect(line).toMatch(/^ {2}perch [a-z]+.* {3}\S/);
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
});

test('every option that an example uses exists', () => {
  for (const command of program.commands) {
    let help = '';
    command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
    const [usage = '', examples = ''] = help.split('\nExamples:\n');
    for (const [option] of examples.matchAll(/(?<=\s)--?[a-z][a-z-]*/g)) {
      // An example may go on with another command, behind a pipe or as the next thing to do.
      if (examples.includes('|') && usage.includes(option) === false) continue;
      expect(`${command.name()} ${usage}`).toContain(option);
    }
  }
});

test('without arguments there is help; a version for people and for programs', async () => {
  expect(await perch([])).toMatchObject({ code: 0, stdout: expect.stringContaining('Usage: perch'), stderr: '' });
  expect((await perch(['version'])).stdout).toMatch(/^perch \d+\.\d+\.\d+ \(Node \d+/);
  expect(JSON.parse((await perch(['version', '-o', 'json'])).stdout)).toEqual({ version: expect.any(String), node: process.versions.node });
});

test.each([
  ['a command that does not exist', ['staus'], /unknown command 'staus'\n\(Did you mean status\?\)/],
  ['an option that does not exist', ['get', '--ouptut', 'json'], /unknown option '--ouptut'\n\(Did you mean --output\?\)/],
  ['an argument that is missing', ['promote'], /missing required argument 'name'/],
  ['an option without its value', ['apply', '-f'], /argument missing/],
  ['an option that is required', ['apply'], /required option '-f, --file <path...>' not specified/],
  ['a kind that does not exist', ['get', 'vss'], /"vss" is no kind of object: did you mean vs\?/],
  ['a port that is none', ['serve', '--api-port', '70700'], /not a port number/],
  ['a map that is none', ['serve', '--map', '9080:19080'], /not DECLARED=ACTUAL/],
  ['a duration that is none', ['demo', '--hold', '20'], /not a duration/],
  ['a format that does not exist', ['get', '-o', 'xml'], /Allowed choices are json, yaml, wide, name/],
])('%s: exit 2, and what would be right', async (_, args, message) => {
  const { code, stdout, stderr } = await perch(args);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(message);
});

test('a reader who leaves, as in perch ... | head -1, ends it without a word', async () => {
  const bin = fileURLToPath(new URL('../../bin/perch.js', import.meta.url));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', bin, 'get', '--help'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const [code] = await once(child, 'close');
  expect([code, stderr]).toEqual([0, '']);
});
