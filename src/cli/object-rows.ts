import type { DestinationRuleSpec, GatewaySpec, ServiceEntrySpec, VirtualServiceSpec, WorkloadEntrySpec } from '../core/istio/resources.ts';
import { describeVersion } from '../core/release/version.ts';
import type { ObjectView, ReleaseView } from '../server/release-resource.ts';
import { ageText } from './age.ts';
import { printable } from './clip.ts';
import { seenBy } from './exposure-text.ts';
import type { Kind } from './kinds.ts';
import { percent } from './release-text.ts';

/** A head line and a row per object, in their order. */
export interface TableRows {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The table of `perch get`. */
export function releaseRows(releases: readonly ReleaseView[], now: number, wide: boolean): TableRows {
  const head = ['NAME', 'FROM', 'TO', 'PHASE', 'STEP', 'WEIGHT', 'SEEN BY', 'AGE'];
  const rows = releases.map((release) => {
    const { metadata, spec, status } = release;
    const stable = status?.stable ?? spec.stable;
    const row = [
      metadata.name,
      stable === undefined ? '-' : describeVersion(stable),
      describeVersion(status?.canary ?? spec.canary),
      metadata.deletionTimestamp === undefined ? (status?.phase ?? 'Pending') : 'Deleting',
      status === undefined || status.step < 0 ? '-' : `${status.step + 1}/${spec.steps.length}`,
      status === undefined ? '-' : percent(status.weight),
      seenBy(release.exposure),
      ageText(metadata.creationTimestamp, now),
    ];
    return wide ? [...row, printable(status?.message ?? '')] : row;
  });
  return { head: wide ? [...head, 'MESSAGE'] : head, rows };
}

/** What is worth seeing of a routing object in one line, as Istio's own printer columns choose it. */
const COLUMNS: Readonly<
  Record<Exclude<Kind, 'CanaryRelease'>, { readonly head: readonly string[]; cells(spec: unknown): readonly string[] }>
> = {
  VirtualService: {
    head: ['GATEWAYS', 'HOSTS'],
    cells: (spec) => [list((spec as VirtualServiceSpec).gateways), list((spec as VirtualServiceSpec).hosts)],
  },
  DestinationRule: {
    head: ['HOST', 'SUBSETS'],
    cells: (spec) => [(spec as DestinationRuleSpec).host, list((spec as DestinationRuleSpec).subsets?.map((subset) => subset.name))],
  },
  Gateway: {
    head: ['PORTS', 'HOSTS'],
    cells: (spec) => [
      list((spec as GatewaySpec).servers.map((server) => `${server.port.number}/${server.port.protocol}`)),
      list((spec as GatewaySpec).servers.flatMap((server) => server.hosts)),
    ],
  },
  ServiceEntry: {
    head: ['HOSTS', 'PORTS', 'ENDPOINTS'],
    cells: (spec) => [
      list((spec as ServiceEntrySpec).hosts),
      list((spec as ServiceEntrySpec).ports.map((port) => String(port.number))),
      String((spec as ServiceEntrySpec).endpoints?.length ?? 0),
    ],
  },
  WorkloadEntry: { head: ['ADDRESS'], cells: (spec) => [(spec as WorkloadEntrySpec).address] },
};

function list(values: readonly string[] | undefined): string {
  return values === undefined || values.length === 0 ? '-' : values.join(',');
}

/** The table of `perch get KIND` for routing objects. */
export function objectRows(kind: Exclude<Kind, 'CanaryRelease'>, objects: readonly ObjectView[], now: number): TableRows {
  const { head, cells } = COLUMNS[kind];
  return {
    head: ['NAME', ...head, 'AGE'],
    rows: objects.map(({ metadata, spec }) => [metadata.name, ...cells(spec).map(printable), ageText(metadata.creationTimestamp, now)]),
  };
}
