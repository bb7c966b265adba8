import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../bin/', import.meta.url));

/**
 * Makes a directory `bin` in `dir` in which shells find this checkout's `perch`, kubectl its `kubectl perch`, and both this `node`; returns a PATH that begins with it.
 */
export async function perchOnPath(dir: string): Promise<string> {
  const bin = join(dir, 'bin');
  await mkdir(bin, { recursive: true });
  for (const [name, command] of [
    ...['perch', 'kubectl-perch', 'kubectl_complete-perch'].map(
      (name) => [name, `"${process.execPath}" --disable-warning=ExperimentalWarning "${BIN}${name}.js"`] as const,
    ),
    ['node', `"${process.execPath}"`],
  ] as const) {
    await writeFile(join(bin, name), `#!/bin/sh\nexec ${command} "$@"\n`);
    await chmod(join(bin, name), 0o755);
  }
  return `${bin}:${process.env['PATH'] ?? ''}`;
}
