import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { perch } from '../../test/harness/perch-process.ts';
import { createProgram } from './run-cli.ts';
import { silentTerminal } from './terminal/silent-terminal.ts';

const context = { terminal: silentTerminal(), signal: new AbortController().signal, environment: {}, runsUntilEnded: () => {} };
const program = createProgram(context);
const COMMANDS = program.commands.map((command) => command.name());

/** What `perch COMMAND --help` prints. */
function helpOf(command: Command): string {
  let help = '';
  command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
  return help;
}

/** The lines of the examples that are to be typed. */
function examplesOf(help: string): readonly string[] {
  const [, examples = ''] = help.split('\nExamples:\n');
  const [block = ''] = examples.split('\n\n');
  return block
    .replaceAll(/ \\\n +/g, ' ')
    .split('\n')
    .flatMap((line) => (/^ {2}\S/.test(line) ? (line.trim().split(/ {3,}/)[0] ?? []) : []));
}

/** The perch commands in a line for a shell, as lists of arguments; quotes are taken off. */
function perchCalls(line: string): readonly (readonly string[])[] {
  return line.split('|').flatMap((part) => {
    const [command = ''] = part
      .trim()
      .replace(/^xargs /, '')
      .split(/ >>? /);
    const words = (command.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', ''));
    return words[0] === 'perch' ? [words.slice(1)] : [];
  });
}

test('there is every command that the manual names', () => {
  const named =
    'demo serve controller manifests apply get describe delete status history promote pause resume rollback retry route plan render simulate doctor help explain completion version';
  expect(COMMANDS).toEqual(named.split(' '));
});

test('the overview has every command with what it does, in 80 columns', () => {
  const help = helpOf(createProgram(context));
  for (const { name, does } of program.commands.map((command) => ({ name: command.name(), does: command.description() }))) {
    expect(help).toMatch(new RegExp(`^ {2}${name} `, 'm'));
    expect(does.length).toBeGreaterThan(20);
  }
  for (const line of help.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
});

describe.each(program.commands.map((command) => [command.name(), command] as const))('perch %s --help', (name, command) => {
  const help = helpOf(command);

  test('says what it does, its arguments and options, in 80 columns', () => {
    expect(help).toMatch(new RegExp(`^Usage: perch ${name}\\b`));
    expect(help.replaceAll(/\s+/g, ' ')).toContain(command.description().replaceAll(/\s+/g, ' '));
    for (const { description } of command.options) expect(description.length).toBeGreaterThan(5);
    for (const { description } of command.registeredArguments) expect(description.length).toBeGreaterThan(3);
    for (const line of help.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  test('has examples, and every one parses', async () => {
    const examples = examplesOf(help);
    expect(examples.length).toBeGreaterThan(0);
    const calls = examples.flatMap(perchCalls);
    expect(calls.some(([first]) => first === name)).toBe(true);
    for (const args of calls) {
      const parsed = createProgram(context);
      let called: string | undefined;
      for (const each of parsed.commands) {
        each.exitOverride().action(() => {
          called = each.name();
        });
      }
      await parsed.parseAsync(args, { from: 'user' });
      expect(called).toBe(args[0]);
    }
  });
});

test('perch help COMMAND is perch COMMAND --help', async () => {
  const [asked, helped] = await Promise.all([perch(['help', 'get']), perch(['get', '--help'])]);
  expect(asked).toEqual(helped);
  expect(asked).toMatchObject({ code: 0, stderr: '' });
  expect(asked.stdout).toContain('Usage: perch get');
});

test('without arguments there is help; a version for people and for programs', async () => {
  expect(await perch([])).toMatchObject({ code: 0, stdout: expect.stringContaining('Usage: perch'), stderr: '' });
  expect((await perch(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect((await perch(['version'])).stdout).toMatch(/^perch \d+\.\d+\.\d+ \(Node \d+/);
  expect(JSON.parse((await perch(['version', '-o', 'json'])).stdout)).toEqual({ version: expect.any(String), node: process.versions.node });
});

test.each([
  ['a command that does not exist', ['staus'], /^error: unknown command 'staus': did you mean status\?\n\(perch --help lists/],
  [
    'an option that does not exist',
    ['get', '--ouptut', 'json'],
    /^error: unknown option '--ouptut': did you mean --output\?\n\(perch get --help says more\)\n$/,
  ],
  ['an argument that is missing', ['promote'], /missing required argument 'release'/],
  ['an option without its value', ['apply', '-f'], /argument missing/],
  ['an option that is required', ['apply'], /required option '-f, --file <path...>' not specified/],
  ['a kind that does not exist', ['get', 'vss'], /"vss" is no kind of object: did you mean vs\?/],
  ['a port that is none', ['serve', '--api-port', '70700'], /not a port number/],
  ['a map that is none', ['serve', '--map', '9080:19080'], /not DECLARED=ACTUAL/],
  ['a duration that is none', ['demo', '--hold', '20'], /not a duration/],
  ['a count that is none', ['history', 'web', '--limit', '0'], /not a whole number from 1 to 200/],
  ['a help that does not exist', ['help', 'staus'], /there is no command staus: did you mean status\?/],
  ['a shell that does not exist', ['completion', 'csh'], /Allowed choices are bash, zsh, fish/],
  ['a code that does not exist', ['explain', 'PERCH1140'], /there is no code PERCH1140: did you mean PERCH1104\?|did you mean PERCH/],
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
