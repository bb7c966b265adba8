// `npm ci` in a clone links bin/perch.js, so that `npx perch` runs it at once, without npm's detour through its cache.
import { existsSync, rmSync, symlinkSync } from 'node:fs';

const link = new URL('../node_modules/.bin/perch', import.meta.url);
if (existsSync(new URL('../node_modules/.bin', import.meta.url)) && process.platform !== 'win32') {
  rmSync(link, { force: true });
  symlinkSync('../../bin/perch.js', link);
}
