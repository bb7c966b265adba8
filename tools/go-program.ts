import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { runCommand } from './run-command.ts';

/** A program that is built from a Go module once, and kept by its version. */
export interface GoProgram {
  /** As messages name it, with its version. */
  readonly what: string;
  /** The module, and its version with `v`. */
  readonly module: string;
  readonly version: string;
  readonly package: string;
  /** Lines of go.mod beside `require`: what a module's own go.mod finds in its repository only. `goMod` is the text of that. */
  readonly replaces?: (goMod: string) => readonly string[];
  /** Says its version, and what that has to look like. */
  readonly asks: readonly string[];
  readonly answers: RegExp;
}

/** Path in the user's cache folder. */
export function cachePath(environment: NodeJS.ProcessEnv, ...path: readonly string[]): string {
  const base = environment['XDG_CACHE_HOME'] ?? '';
  return join(base === '' ? join(homedir(), '.cache') : base, 'perch', ...path);
}

/** @throws Error where the executable is not there, or something else. */
export async function assertRuns(executable: string, asks: readonly string[], answers: RegExp, what: string): Promise<void> {
  const { code, output } = await runCommand(executable, asks);
  if (code !== 0 || !answers.test(output)) throw new Error(`${executable} is no ${what} that runs here (exit ${code}):\n${output}`);
}

async function go(args: readonly string[], cwd: string, environment: NodeJS.ProcessEnv): Promise<string> {
  const path = [environment['PATH'] ?? '', '/usr/local/go/bin'].join(delimiter);
  const { code, output } = await runCommand('go', args, {
    cwd,
    env: { ...environment, PATH: path, GOFLAGS: '-mod=mod', CGO_ENABLED: '0' },
  });
  if (code !== 0) throw new Error(`go ${args.join(' ')} failed (exit ${code}):\n${output}`);
  return output;
}

/** Where Go keeps a module, and its go.mod; `folder` has to have a go.mod. */
export async function downloadModule(
  name: string,
  version: string,
  folder: string,
  environment: NodeJS.ProcessEnv,
): Promise<{ readonly Dir: string; readonly GoMod: string }> {
  const text = await go(['mod', 'download', '-json', `${name}@${version}`], folder, environment);
  return JSON.parse(text.slice(text.indexOf('{'))) as { readonly Dir: string; readonly GoMod: string };
}

/** Does something in a folder with an empty Go module, which is then gone. */
export async function inGoModule<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'perch-go-'));
  try {
    writeFileSync(join(folder, 'go.mod'), GO_MOD);
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const GO_MOD = 'module perch.test/program\ngo 1.26\n';

/**
 * Path of the program: built there first where it is not yet, beside it, so that an interrupted build leaves nothing that looks complete.
 * @throws Error with what to do where it cannot be built.
 */
export async function provideGoProgram(
  program: GoProgram,
  target: string,
  variable: string,
  environment: NodeJS.ProcessEnv,
): Promise<string> {
  const { what, module, version, replaces, asks, answers } = program;
  if (existsSync(target)) return target;
  console.error(`Building ${what} into ${dirname(target)}: once, some ten minutes ...`);
  mkdirSync(dirname(target), { recursive: true });
  const partial = `${target}-partial-${process.pid}`;
  try {
    await inGoModule(async (folder) => {
      const { GoMod } = await downloadModule(module, version, folder, environment);
      const replaced = replaces?.(readFileSync(GoMod, 'utf8')) ?? [];
      writeFileSync(join(folder, 'go.mod'), `${[GO_MOD, `require ${module} ${version}`, ...replaced].join('\n')}\n`);
      await go(['build', '-ldflags', '-s -w', '-o', partial, program.package], folder, environment);
    });
    await assertRuns(partial, asks, answers, what);
    renameSync(partial, target);
    return target;
  } catch (error) {
    rmSync(partial, { force: true });
    throw new Error(
      `${what} could not be built: this needs Go 1.26 or newer and access to a Go module proxy. Or set ${variable} to the path of one.\n${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
