import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runCommand } from './run-command.ts';

/** Where Debian keeps what only root usually starts. */
const ROOTS_FOLDERS = ['/usr/sbin', '/sbin'];

/** Path of the first executable of these names on the PATH, or where root's are. */
export function findExecutable(names: readonly string[], environment: NodeJS.ProcessEnv): string | undefined {
  for (const folder of [...(environment['PATH'] ?? '').split(delimiter), ...ROOTS_FOLDERS]) {
    for (const name of names) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // Not here: look on.
      }
    }
  }
  return undefined;
}

/**
 * Installs a package with apt-get, as root on Debian; does nothing elsewhere.
 * @throws Error with apt-get's own words where it fails.
 */
export async function installOnDebian(name: string): Promise<void> {
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) return;
  console.error(`Installing the Debian package ${name} ...`);
  for (const args of [['update'], ['install', '--yes', '--no-install-recommends', name]]) {
    const { code, output } = await runCommand('apt-get', args, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
    if (code !== 0) throw new Error(`apt-get ${args.join(' ')} failed (exit ${code}):\n${output}`);
  }
}
