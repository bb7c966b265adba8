import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../tools/repository.ts';
import { runCommand } from '../../tools/run-command.ts';

/** One way to have Perch on a machine. */
export interface Installation {
  readonly name: string;
  /** Path of the `perch` that Node runs. */
  readonly bin: string;
}

/** The clone that this bench is part of, which runs its TypeScript. */
export const clone: Installation = { name: 'clone', bin: join(ROOT, 'bin/perch.js') };

/**
 * Builds the package and lays it out in `folder` as an installation does: bin/ and dist/, no sources.
 * @throws Error with the compiler's words where the build fails.
 */
export async function builtPackage(folder: string): Promise<Installation> {
  const { code, output } = await runCommand(process.execPath, [join(ROOT, 'node_modules/tsc7/lib/tsc.js'), '-b', 'src/cli'], { cwd: ROOT });
  if (code !== 0) throw new Error(`The build failed:\n${output}`);
  mkdirSync(folder, { recursive: true });
  for (const part of ['bin', 'dist', 'package.json']) cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return { name: 'package', bin: join(folder, 'bin/perch.js') };
}
