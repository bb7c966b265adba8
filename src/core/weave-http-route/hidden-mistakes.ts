import { rulesOf } from '../gateway-api/http-route.ts';
import type { KubeObject } from '../istio/resources.ts';
import { isHttpRoute } from './unweave-http-route.ts';

/**
 * Whether an HTTPRoute that nobody has checked yet has a mistake that weaving would hide from the schema of Gateway API: two rules of one name (which its experimental
 * channel refuses), a Service without a port, or no list of rules. Woven it would pass, and its base would be refused at the end of the release. False of any other object.
 */
export function hidesMistakes(object: KubeObject): boolean {
  if (!isHttpRoute(object)) return false;
  const rules = rulesOf(object);
  if (!Array.isArray(rules)) return true;
  const names = rules.flatMap(({ name }) => name ?? []);
  const refs = rules.flatMap(({ backendRefs = [] }) => backendRefs);
  return (
    new Set(names).size < names.length ||
    refs.some(({ group = '', kind = 'Service', port }) => group === '' && kind === 'Service' && port === undefined)
  );
}
