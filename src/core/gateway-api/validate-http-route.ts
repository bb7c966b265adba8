import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { KubeObject } from '../istio/resources.ts';
import { schemaFindings } from '../istio/schema-findings.ts';
import type { Finding } from '../source/finding.ts';
import { type FieldPath, formatPath, type Locate } from '../source/locate.ts';
import { describeHttpRoute, HTTP_ROUTE, HTTP_ROUTE_API, rulesOf } from './http-route.ts';
import { httpRouteSpec } from './schema.ts';

/** Whether an object means to be an HTTPRoute of Gateway API, in whatever version. */
export function isHttpRouteOfGatewayApi({ apiVersion, kind }: Pick<KubeObject, 'apiVersion' | 'kind'>): boolean {
  return kind === HTTP_ROUTE && isGatewayApi({ apiVersion });
}

/** Whether an object is of Gateway API, of whatever kind. */
export function isGatewayApi({ apiVersion }: Pick<KubeObject, 'apiVersion'>): boolean {
  return apiVersion.split('/')[0] === HTTP_ROUTE_API.split('/')[0];
}

const SPEC: FieldPath = ['spec'];

/**
 * Checks an HTTPRoute that no apiserver has taken yet, as one in a file: its fields (PERCH1101 to 1103), as far as weaving reads them, and that Services have
 * ports (1104). All mistakes are returned, each with its path and, given `locate`, its place.
 */
export function validateHttpRoute(object: KubeObject, locate?: Locate): readonly Diagnostic[] {
  const shape = schemaFindings(HTTP_ROUTE, httpRouteSpec, object.spec ?? {}, SPEC);
  const findings = shape.length > 0 ? shape : portFindings(object);
  return findings.map(({ code, message, path, at, hint }) => ({
    code,
    severity: 'error',
    message,
    object: describeHttpRoute(object),
    path: formatPath(path),
    ...(locate === undefined ? {} : { source: locate(path, at) }),
    hint,
  }));
}

function portFindings(object: KubeObject): readonly Finding[] {
  return rulesOf(object).flatMap(({ backendRefs = [] }, rule) =>
    backendRefs.flatMap(({ group = '', kind = 'Service', port }, index): Finding[] => {
      if (group !== '' || kind !== 'Service' || port !== undefined) return [];
      const path = [...SPEC, 'rules', rule, 'backendRefs', index];
      return [
        {
          code: 'PERCH1104',
          path,
          message: `${formatPath(path)} names a Service without a port`,
          hint: 'add port: the number of one of its ports',
        },
      ];
    }),
  );
}
