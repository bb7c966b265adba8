// `npm ci` in a clone links what bin/ has, so that `npx perch` runs it at once, without npm's detour through its cache.
import { existsSync, rmSync, symlinkSync } from 'node:fs';

const folder = new URL('../node_modules/.bin/', import.meta.url);
if (existsSync(folder) && process.platform !== 'win32') {
  for (const name of ['perch', 'kubectl-perch', 'kubectl_complete-perch']) {
    const link = new URL(name, folder);
    rmSync(link, { force: true });
    symlinkSync(`../../bin/${name}.js`, link);
  }
}
