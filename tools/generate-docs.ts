// `npm run docs`: writes the pages of docs/reference that come from the code. generate-docs.test.ts fails while they differ.
import { writeFileSync } from 'node:fs';
import { commandReference } from './command-reference.ts';
import { errorReference } from './error-reference.ts';
import { gatewayLimitsReference } from './gateway-limits-reference.ts';
import { releaseReference } from './release-reference.ts';
import { ROOT } from './repository.ts';

/** Every generated page: its path from the project's root, and its text. */
export const PAGES: readonly { readonly path: string; readonly text: () => string }[] = [
  { path: 'docs/reference/canary-release.md', text: releaseReference },
  { path: 'docs/reference/errors.md', text: errorReference },
  { path: 'docs/reference/commands.md', text: commandReference },
  { path: 'docs/reference/gateway-limits.md', text: gatewayLimitsReference },
];

if (import.meta.main) {
  for (const { path, text } of PAGES) {
    writeFileSync(`${ROOT}/${path}`, text());
    console.log(`wrote ${path}`);
  }
}
