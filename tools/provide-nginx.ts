// `node tools/provide-nginx.ts` prints the path of an nginx that the tests of shared caches may run, and installs it where it can.
import { findExecutable, installOnDebian } from './debian-package.ts';
import { runCommand } from './run-command.ts';

/**
 * Path of an nginx executable that runs: PERCH_NGINX, else nginx on the PATH, else, as root on Debian, installed with apt-get.
 * @throws Error with what to do where none can be had.
 */
export async function provideNginx(environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  let executable = environment['PERCH_NGINX'] ?? '';
  if (executable === '') executable = findExecutable(['nginx'], environment) ?? '';
  if (executable === '') {
    await installOnDebian('nginx-light');
    executable = findExecutable(['nginx'], environment) ?? '';
  }
  if (executable === '') {
    throw new Error(
      'The tests of shared caches need nginx, and there is none on the PATH. Install it (Debian: sudo apt-get install nginx-light), or set PERCH_NGINX to the path of one.',
    );
  }
  const { code, output } = await runCommand(executable, ['-v']);
  if (code !== 0 || !output.includes('nginx version'))
    throw new Error(`${executable} is no nginx that runs here (exit ${code}):\n${output}`);
  return executable;
}

if (import.meta.main) {
  try {
    console.log(await provideNginx());
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
