import { createHash } from 'node:crypto';
import { access, readFile } from 'node:fs/promises';

/** What tools/bundle-dashboard.ts writes beside the bundle. */
export interface DashboardManifest {
  /** Names of the files in assets/; each has a digest in it, so that what is behind a name never changes. */
  readonly assets: readonly string[];
  /** Digest (SHA-256, hex) of each source file, by its path from the root. */
  readonly inputs: Readonly<Record<string, string>>;
}

/** The page, or in a sentence why there is none and what helps. */
export type DashboardPage = { readonly html: string } | { readonly missing: string };

/** The same from src/server in a clone and from dist/server in the package. */
const ROOT = new URL('../../', import.meta.url);

/** The dashboard as it was bundled below `root`: read anew for each page, so that a bundle made meanwhile is found. */
export class DashboardBundle {
  readonly #root: URL;
  readonly #folder: URL;

  constructor(root: URL = ROOT) {
    this.#root = root;
    this.#folder = new URL('dist/dashboard/', root);
  }

  /** The page; `missing` where it was never bundled, or from other sources than those of this clone. */
  async page(): Promise<DashboardPage> {
    const manifest = await this.#manifest();
    if (manifest === undefined) return { missing: 'The dashboard is not built: run npm run build, and reload this page.' };
    if (await this.#isStale(manifest)) {
      return { missing: 'The dashboard was built from other sources than these: run npm run build, and reload this page.' };
    }
    return { html: await readFile(new URL('index.html', this.#folder), 'utf8') };
  }

  /** One file of the bundle; undefined for every other name. */
  async asset(name: string): Promise<Uint8Array | undefined> {
    const manifest = await this.#manifest();
    return manifest?.assets.includes(name) ? await readFile(new URL(`assets/${name}`, this.#folder)) : undefined;
  }

  async #manifest(): Promise<DashboardManifest | undefined> {
    try {
      return JSON.parse(await readFile(new URL('manifest.json', this.#folder), 'utf8')) as DashboardManifest;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Only a clone has sources beside the bundle. */
  async #isStale({ inputs }: DashboardManifest): Promise<boolean> {
    const hasSources = await access(new URL('src/dashboard/', this.#root)).then(
      () => true,
      () => false,
    );
    if (!hasSources) return false;
    const isSame = await Promise.all(Object.entries(inputs).map(async ([path, digest]) => (await this.#digest(path)) === digest));
    return isSame.includes(false);
  }

  async #digest(path: string): Promise<string | undefined> {
    try {
      return createHash('sha256')
        .update(await readFile(new URL(path, this.#root)))
        .digest('hex');
    } catch {
      return undefined;
    }
  }
}
