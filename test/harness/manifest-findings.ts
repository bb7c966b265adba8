import type { Diagnostic } from '../../src/core/diagnostics/diagnostic.ts';
import { validateRoutingObject } from '../../src/core/istio/validate.ts';
import { parseManifests } from '../../src/core/source/manifests.ts';

/** What is found in the routing objects of a YAML text, whatever it is. */
export function manifestFindings(yaml: string): readonly Diagnostic[] {
  const { objects, diagnostics } = parseManifests(yaml, 'test.yaml');
  return [...diagnostics, ...objects.flatMap(({ object, locate }) => validateRoutingObject(object, locate))];
}
