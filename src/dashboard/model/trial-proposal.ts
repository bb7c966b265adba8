import { boundGateways } from '../../core/istio/names.ts';

/** As much of a Gateway or VirtualService as a proposal reads. */
export interface RoutingObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec?: {
    readonly servers?: readonly { readonly port?: { readonly number?: number; readonly protocol?: string } }[];
    readonly hosts?: readonly string[];
    readonly gateways?: readonly string[];
    readonly http?: readonly { readonly match?: readonly { readonly uri?: { readonly exact?: string; readonly prefix?: string } }[] }[];
  };
}

/** A request to begin with. */
export interface TrialProposal {
  readonly listener: 'ingress' | 'mesh';
  readonly url: string;
}

/** A request that reaches routes of the release: at the Gateway of one of `woven` (namespace/name of VirtualServices), else at the service in the mesh. */
export function proposeTrial(
  objects: readonly RoutingObject[],
  woven: readonly string[],
  service: { readonly host: string; readonly port?: number },
): TrialProposal {
  const nameOf = ({ metadata }: RoutingObject): string => `${metadata.namespace}/${metadata.name}`;
  for (const { kind, metadata, spec } of objects) {
    if (kind !== 'VirtualService' || !woven.includes(`${metadata.namespace}/${metadata.name}`)) continue;
    const bound = boundGateways(spec?.gateways, metadata.namespace);
    const gateway = objects.find((object) => object.kind === 'Gateway' && bound.includes(nameOf(object)));
    const port = gateway?.spec?.servers?.[0]?.port?.number;
    if (port === undefined) continue;
    const host = spec?.hosts?.find((each) => !each.includes('*')) ?? 'localhost';
    const uri = spec?.http
      ?.flatMap(({ match }) => match ?? [])
      .find((each) => each.uri?.exact !== undefined || each.uri?.prefix !== undefined)?.uri;
    return { listener: 'ingress', url: `http://${host}${port === 80 ? '' : `:${port}`}${uri?.exact ?? uri?.prefix ?? '/'}` };
  }
  return { listener: 'mesh', url: `http://${service.host}${service.port === undefined ? '' : `:${service.port}`}/` };
}
