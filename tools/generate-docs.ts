// `npm run docs`: writes the pages of docs/ that come from the code, or hold what a command prints, the CRD, and roles for single namespaces. generate-docs.test.ts fails while they differ.
import { writeFileSync } from 'node:fs';
import { openApiDocument } from '../src/server/operations/open-api-document.ts';
import { commandReference } from './command-reference.ts';
import { crdManifest } from './crd-manifest.ts';
import { errorReference } from './error-reference.ts';
import { exposurePicture, HOW_IT_WORKS, howItWorks } from './exposure-comparison.ts';
import { gatewayLimitsReference } from './gateway-limits-reference.ts';
import { HELM_TEMPLATES } from './helm-chart.ts';
import { historyReference } from './history-reference.ts';
import { malformedRequestsReference } from './malformed-requests-reference.ts';
import { metricsReference } from './metrics-reference.ts';
import { readNamespaceRbac, watchedNamespaceRbac } from './namespaced-rbac.ts';
import { phaseReference } from './phase-reference.ts';
import { releaseReference } from './release-reference.ts';
import { ROOT } from './repository.ts';

/** Every generated page: its path from the project's root, and its text. */
export const PAGES: readonly { readonly path: string; readonly text: () => string | Promise<string> }[] = [
  { path: 'docs/reference/canary-release.md', text: releaseReference },
  { path: 'docs/reference/phases.md', text: phaseReference },
  { path: 'docs/reference/errors.md', text: errorReference },
  { path: 'docs/reference/commands.md', text: commandReference },
  { path: 'docs/reference/gateway-limits.md', text: gatewayLimitsReference },
  { path: 'docs/reference/malformed-requests.md', text: malformedRequestsReference },
  { path: 'docs/reference/history.md', text: historyReference },
  { path: 'docs/reference/metrics.md', text: metricsReference },
  { path: 'docs/reference/openapi.json', text: () => `${JSON.stringify(openApiDocument(), null, 2)}\n` },
  { path: HOW_IT_WORKS, text: howItWorks },
  { path: 'docs/exposure.svg', text: exposurePicture },
  { path: 'deploy/crd.yaml', text: crdManifest },
  { path: 'deploy/namespaced/watched/rbac.yaml', text: watchedNamespaceRbac },
  { path: 'deploy/namespaced/read/rbac.yaml', text: readNamespaceRbac },
  // After it, as one of them is made of it.
  ...HELM_TEMPLATES,
];

if (import.meta.main) {
  for (const { path, text } of PAGES) {
    writeFileSync(`${ROOT}/${path}`, await text());
    console.log(`wrote ${path}`);
  }
}
