// Bundles src/dashboard into dist/dashboard, where the server finds it. `npm ci` does so in a clone (tools/prepare.js), and `npm run build`.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import type { DashboardManifest } from '../src/server/dashboard-bundle.ts';
import { ROOT } from './repository.ts';

const SOURCE = 'src/dashboard';
const TEMPLATE = `${SOURCE}/index.html`;
/** Browsers of the last two years or so, as vite's baseline. */
const TARGET = ['chrome120', 'firefox121', 'safari17'];

function digestOf(root: string, path: string): string {
  return createHash('sha256')
    .update(readFileSync(join(root, path)))
    .digest('hex');
}

/** Writes so that a reader sees the old file or the new one, whole. The new one is made outside assets/, where another process may just tidy up. */
function write(target: string, path: string, content: string | Uint8Array): void {
  const temporary = join(target, `${basename(path)}.${process.pid}`);
  writeFileSync(temporary, content);
  renameSync(temporary, join(target, path));
}

/**
 * Bundles the dashboard of the checkout at `root`: index.html, one script, one style sheet, an icon, and a manifest of what they are made of.
 * @throws Error of esbuild where the sources do not bundle; what was there before stays.
 */
export async function bundleDashboard(root: string = ROOT): Promise<DashboardManifest> {
  const target = join(root, 'dist/dashboard');
  const result = await build({
    absWorkingDir: root,
    entryPoints: [`${SOURCE}/main.tsx`, `${SOURCE}/page.css`, `${SOURCE}/icon.svg`],
    entryNames: '[name]-[hash]',
    outdir: target,
    bundle: true,
    minify: true,
    format: 'esm',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    loader: { '.svg': 'copy' },
    target: TARGET,
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  const assets = result.outputFiles.map(({ path, contents }) => ({ name: basename(path), contents }));
  const nameOf = (ending: string): string => assets.find(({ name }) => name.endsWith(ending))?.name ?? '';
  const html = readFileSync(join(root, TEMPLATE), 'utf8').replaceAll(/%(\.\w+)%/g, (_, ending: string) => `assets/${nameOf(ending)}`);
  const inputs = [...Object.keys(result.metafile.inputs), TEMPLATE].filter((path) => path.startsWith('src/')).sort();
  const manifest: DashboardManifest = {
    assets: assets.map(({ name }) => name),
    inputs: Object.fromEntries(inputs.map((path) => [path, digestOf(root, path)])),
  };
  mkdirSync(join(target, 'assets'), { recursive: true });
  for (const { name, contents } of assets) write(target, join('assets', name), contents);
  write(target, 'index.html', html);
  write(target, 'manifest.json', JSON.stringify(manifest, undefined, 1));
  for (const name of readdirSync(join(target, 'assets'))) {
    if (!manifest.assets.includes(name)) rmSync(join(target, 'assets', name), { force: true });
  }
  return manifest;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href && existsSync(join(ROOT, SOURCE))) await bundleDashboard();
