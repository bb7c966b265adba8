import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { KubeObject } from '../istio/resources.ts';
import type { CanaryRelease } from '../release/canary-release.ts';
import { hostsAtGateways } from './gateway-hosts.ts';
import { describeRouteObject, type RouteObject } from './route-object.ts';
import { needsSecure } from './set-cookie.ts';

/** How many hosts a message names. */
const NAMED = 3;

/** Where the cookie is issued. */
interface Issuing {
  readonly secure: boolean;
  readonly gateways: readonly KubeObject[];
}

/** Why browsers drop the visitor id's cookie where it is issued (PERCH2013): not Secure, or of a domain that is not the site's. */
export function cookieFindings(issuing: RouteObject, release: CanaryRelease, { secure, gateways }: Issuing): readonly Diagnostic[] {
  const { cookie } = release.spec.visitorId;
  // Then there is no such cookie.
  if (release.spec.affinity.mode === 'canaryOnly') return [];
  const dropped = (field: string, why: string, hint: string): Diagnostic => ({
    code: 'PERCH2013',
    severity: 'warning',
    message: `browsers drop the cookie ${cookie.name}: ${why}`,
    object: `CanaryRelease ${release.metadata.namespace}/${release.metadata.name}`,
    path: `spec.visitorId.cookie.${field}`,
    hint,
  });
  const found: Diagnostic[] = [];
  const need = secure ? undefined : needsSecure(cookie);
  if (need !== undefined) {
    const instead = need.field === 'name' ? 'use another name' : 'take partitioned out';
    found.push(
      dropped(
        need.field,
        `${need.what}, but the gateways of ${describeRouteObject(issuing)} are not all HTTPS`,
        `${instead}, serve HTTPS, or set secure: true where TLS ends before the gateway`,
      ),
    );
  }
  const outside = cookie.domain === undefined ? [] : hostsOutside(cookie.domain, issuing, gateways);
  if (outside.length > 0) {
    const named = outside.slice(0, NAMED).join(', ') + (outside.length > NAMED ? ` and ${outside.length - NAMED} more` : '');
    const why = `its domain is ${cookie.domain}, and ${describeRouteObject(issuing)} issues it at ${named} too`;
    found.push(dropped('domain', why, 'name a domain that all its hosts are in, or take domain out'));
  }
  return found;
}

/** The hosts where the cookie is issued and that are not in its domain (RFC 6265 section 5.1.3); `*` does not say which they are. */
function hostsOutside(domain: string, issuing: RouteObject, gateways: readonly KubeObject[]): readonly string[] {
  const hosts = new Set(hostsAtGateways(issuing, gateways).map(({ host }) => host));
  return [...hosts].filter((host) => {
    if (host === '*') return false;
    const least = host.replace(/^\*\./, '');
    return least !== domain && !least.endsWith(`.${domain}`);
  });
}
