import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Absolute path of the checkout, without a slash at its end. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

/** The compiler that everything is checked with. TypeScript 6 is here only for dependency-cruiser, which needs its API. */
export const TSC = `${ROOT}/node_modules/tsc7/lib/tsc.js`;

/** Every TypeScript file of the project, as paths from its root. */
export function typeScriptFiles(root: string = ROOT): readonly string[] {
  return globSync(
    ['src/**/*.{ts,tsx}', 'test/**/*.ts', 'tools/**/*.ts', 'bench/**/*.ts', 'vitest.config.ts', 'vitest.mutation.config.ts'],
    {
      cwd: root,
    },
  ).sort();
}
