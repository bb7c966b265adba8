import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { EdgeFigures } from './edge-tally.ts';

/** Fewer requests than these say nothing: anyone can send some. */
const ENOUGH = 10;
/** Of those that should have got an id, in percent: below, it is somebody's odd client and not the edge. */
const ODD_SHARE = 5;
/** Of all requests at the edge, in percent. */
const CROSS_SITE_SHARE = 1;

/** What the requests at the edge of a release (`namespace/name`) show to be wrong with visitor ids: none can be made of their request ids, or they are not sent (PERCH308x). */
export function edgeFindings(release: string, edge: EdgeFigures, issueOn: 'documents' | 'all'): readonly Diagnostic[] {
  const object = `CanaryRelease ${release}`;
  const found: Diagnostic[] = [];
  if (hasOddRequestIds(edge)) {
    const { oddRequestIds, oddRequestId, issued } = edge;
    const such = oddRequestId === undefined ? '' : ` such as ${oddRequestId}`;
    found.push({
      code: 'PERCH3080',
      severity: 'warning',
      object,
      message: `${oddRequestIds} of ${oddRequestIds + issued} first visits in this step got no valid visitor id: their request ids${such} do not end in a hyphen and 12 lower-case hex digits, as those of a UUID do; ${fateOf(edge)}`,
      hint: 'let the edge make x-request-id itself (Envoy: no preserve_external_request_id), or have the proxy before it send UUIDs or none',
    });
  }
  if (hasCrossSite(edge)) {
    const share = Math.round((1000 * edge.crossSite) / edge.requests) / 10;
    const fate = issueOn === 'all' ? 'each draws anew' : 'they stay on stable';
    found.push({
      code: 'PERCH3081',
      severity: 'warning',
      object,
      message: `${share} % of the requests at the edge in this step (${edge.crossSite} of ${edge.requests}) come from scripts of other sites and bring no visitor id: without credentials ${fate}`,
      hint: 'fetch with credentials: include, allow credentials in CORS, and set sameSite: None, secure: true and partitioned: true; or serve both from one site',
    });
  }
  return found;
}

function fateOf({ oddRequestIds, oddOnCanary }: EdgeFigures): string {
  if (oddOnCanary === 0) return 'they stay on stable';
  const who = oddOnCanary === oddRequestIds ? 'they' : `${oddOnCanary} of them`;
  return `${who} are on the canary, whatever its weight`;
}

function hasOddRequestIds({ oddRequestIds, issued }: EdgeFigures): boolean {
  return oddRequestIds >= ENOUGH && 100 * oddRequestIds >= ODD_SHARE * (oddRequestIds + issued);
}

function hasCrossSite({ crossSite, requests }: EdgeFigures): boolean {
  return crossSite >= ENOUGH && 100 * crossSite >= CROSS_SITE_SHARE * requests;
}
