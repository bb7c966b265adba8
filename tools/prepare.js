// `npm ci` in a clone links what bin/ has, so that `npx perch` runs it at once, without npm's detour through its cache, and bundles the
// dashboard, which a browser cannot run as it is. Plain JavaScript: it must parse on any Node.
import { existsSync, rmSync, symlinkSync } from 'node:fs';

const modules = new URL('../node_modules/', import.meta.url);
const folder = new URL('.bin/', modules);
if (existsSync(folder) && process.platform !== 'win32') {
  for (const name of ['perch', 'kubectl-perch', 'kubectl_complete-perch']) {
    const link = new URL(name, folder);
    rmSync(link, { force: true });
    symlinkSync(`../../bin/${name}.js`, link);
  }
}
// Without development packages there is nothing to bundle with: whoever installs so has dist/ already, or is told by the page itself.
if (existsSync(new URL('esbuild', modules))) {
  try {
    const { bundleDashboard } = await import('./bundle-dashboard.ts');
    await bundleDashboard();
  } catch (error) {
    console.error(`the dashboard was not bundled (npm run build tries again): ${error instanceof Error ? error.message : error}`);
  }
}
