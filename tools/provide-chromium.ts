// `node tools/provide-chromium.ts` prints the path of a Chromium that the browser tests may drive, and installs it where it can.
import { findExecutable, installOnDebian } from './debian-package.ts';
import { runCommand } from './run-command.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/**
 * Path of a Chromium executable that runs: PERCH_CHROMIUM, else chromium or google-chrome on the PATH, else, as root on
 * Debian, installed with apt-get.
 * @throws Error with what to do where none can be had.
 */
export async function provideChromium(environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  let executable = environment['PERCH_CHROMIUM'] ?? '';
  if (executable === '') executable = findExecutable(NAMES, environment) ?? '';
  if (executable === '') {
    await installOnDebian('chromium');
    executable = findExecutable(NAMES, environment) ?? '';
  }
  if (executable === '') {
    throw new Error(
      'The browser tests need Chromium, and there is none on the PATH. Install it (Debian: sudo apt-get install chromium), or set PERCH_CHROMIUM to the path of a Chromium or Chrome.',
    );
  }
  const { code, output } = await runCommand(executable, ['--version']);
  if (code !== 0 || !/Chrom(e|ium)/.test(output)) throw new Error(`${executable} is no Chromium that runs here (exit ${code}):\n${output}`);
  return executable;
}

if (import.meta.main) {
  try {
    console.log(await provideChromium());
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
