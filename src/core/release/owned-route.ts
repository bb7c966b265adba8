import { virtualServiceSpecFindings } from '../istio/validate.ts';
import { type Finding, valueAt } from '../source/finding.ts';
import { isMapping } from '../source/kube-object.ts';

/** Stands in while the hosts are missing, which the schema tells: without any the rules would be judged as those of a delegate. */
const SOME_HOST = 'unknown.invalid';

/**
 * What is wrong with the VirtualService that a release declares in `route.delegate` or `route.managed`: judged as if it were an object of its
 * own (PERCH11xx, PERCH1301), with the places in the release. The schema tells where a list is missing, or is none.
 */
export function ownedRouteFindings(spec: unknown, namespace: string): readonly Finding[] {
  return (['delegate', 'managed'] as const).flatMap((form) => {
    const owned = valueAt(spec, ['route', form]);
    if (!isMapping(owned)) return [];
    const { hosts, gateways, http } = owned;
    if (!isFilled(http)) return [];
    const declared =
      form === 'delegate' ? { http } : { hosts: isFilled(hosts) ? hosts : [SOME_HOST], ...(gateways !== undefined && { gateways }), http };
    return virtualServiceSpecFindings(declared, namespace, ['spec', 'route', form]);
  });
}

function isFilled(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}
