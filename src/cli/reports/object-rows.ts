import type {
  DestinationRuleSpec,
  GatewaySpec,
  KubeObject,
  ServiceEntrySpec,
  VirtualServiceSpec,
  WorkloadEntrySpec,
} from '../../core/istio/resources.ts';
import { routedName, routeForm } from '../../core/release/route-form.ts';
import { describeVersion } from '../../core/release/version.ts';
import { wovenReleases } from '../../core/weave/unweave.ts';
import type { ObjectView, ReleaseView } from '../../server/release-resource.ts';
import type { Kind } from '../objects/kinds.ts';
import { ageText, timeText } from '../terminal/age.ts';
import { printable } from '../terminal/clip.ts';
import { seenBy } from './exposure-text.ts';
import { pairOf, percent } from './release-text.ts';

/** A head line and a row per object, in their order. */
export interface TableRows {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** What is worth seeing of a kind in one line; `wide` are the further columns of `-o wide`. */
interface Columns {
  readonly head: readonly string[];
  readonly wide: readonly string[];
  cells(object: ObjectView): readonly string[];
  wideCells(object: ObjectView): readonly string[];
}

const RELEASE: Columns = {
  head: ['FROM', 'TO', 'PHASE', 'STEP', 'WEIGHT', 'SEEN BY'],
  wide: ['LIVE', 'ROUTES', 'UNTIL', 'MESSAGE'],
  cells: (object) => {
    const release = object as ReleaseView;
    const { metadata, spec, status } = release;
    const { stable, canary } = pairOf(release);
    return [
      stable === undefined ? '-' : describeVersion(stable),
      describeVersion(canary),
      metadata.deletionTimestamp === undefined ? (status?.phase ?? 'Pending') : 'Deleting',
      status === undefined || status.step < 0 ? '-' : `${status.step + 1}/${spec.steps.length}`,
      status === undefined ? '-' : percent(status.weight),
      seenBy(release.exposure),
    ];
  },
  wideCells: (object) => {
    const release = object as ReleaseView;
    const { status } = release;
    return [
      status?.liveVersion === undefined ? '-' : describeVersion(status.liveVersion),
      `${routedName(release)} (${routeForm(release)})`,
      status?.holdUntil === undefined ? '-' : timeText(status.holdUntil),
      status?.message ?? '',
    ];
  },
};

/** The same where nobody counts visitors. */
const UNCOUNTED_RELEASE: Columns = {
  ...RELEASE,
  head: RELEASE.head.slice(0, -1),
  cells: (object) => RELEASE.cells(object).slice(0, -1),
};

const COLUMNS: Readonly<Record<Kind, Columns>> = {
  CanaryRelease: RELEASE,
  VirtualService: columns<VirtualServiceSpec>(
    ['GATEWAYS', 'HOSTS', 'RELEASES'],
    (spec, object) => [list(spec.gateways), list(spec.hosts), list(wovenReleases(object as KubeObject).map(inNamespace(object)))],
    ['RULES'],
    (spec) => [String(spec.http?.length ?? 0)],
  ),
  DestinationRule: columns<DestinationRuleSpec>(
    ['HOST', 'SUBSETS'],
    (spec) => [spec.host, list(spec.subsets?.map((subset) => subset.name))],
    ['LABELS'],
    (spec) => [list(spec.subsets?.map(({ name, labels }) => `${name}:${labelText(labels)}`))],
  ),
  Gateway: columns<GatewaySpec>(
    ['PORTS', 'HOSTS'],
    (spec) => [
      list(spec.servers.map((server) => `${server.port.number}/${server.port.protocol}`)),
      list([...new Set(spec.servers.flatMap((server) => server.hosts))]),
    ],
    ['BIND', 'SELECTOR'],
    (spec) => [list([...new Set(spec.servers.flatMap((server) => server.bind ?? []))]), labelText(spec.selector)],
  ),
  ServiceEntry: columns<ServiceEntrySpec>(
    ['HOSTS', 'PORTS', 'ENDPOINTS'],
    (spec) => [list(spec.hosts), list(spec.ports.map((port) => String(port.number))), String(spec.endpoints?.length ?? 0)],
    ['RESOLUTION', 'ADDRESSES'],
    (spec) => [spec.resolution ?? '-', list(spec.endpoints?.map((endpoint) => endpointText(endpoint)))],
  ),
  WorkloadEntry: columns<WorkloadEntrySpec>(
    ['ADDRESS'],
    (spec) => [spec.address],
    ['PORTS', 'LABELS'],
    (spec) => [list(Object.entries(spec.ports ?? {}).map(([name, port]) => `${name}=${port}`)), labelText(spec.labels)],
  ),
};

function columns<Spec>(
  head: readonly string[],
  cells: (spec: Spec, object: ObjectView) => readonly string[],
  wide: readonly string[],
  wideCells: (spec: Spec) => readonly string[],
): Columns {
  return { head, wide, cells: (object) => cells(object.spec as Spec, object), wideCells: (object) => wideCells(object.spec as Spec) };
}

/** `shop/web` as it is called from the namespace of the object: `web`. */
function inNamespace({ metadata }: ObjectView): (name: string) => string {
  return (name) => (name.startsWith(`${metadata.namespace}/`) ? name.slice(metadata.namespace.length + 1) : name);
}

function list(values: readonly string[] | undefined): string {
  return values === undefined || values.length === 0 ? '-' : values.join(',');
}

/** `version=v1,zone=a`, or `-`. */
export function labelText(labels: Readonly<Record<string, string>> | undefined): string {
  return list(Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`));
}

/** `127.0.0.1:9081`, with each port that the endpoint names. */
export function endpointText({ address, ports }: WorkloadEntrySpec): string {
  const host = address.includes(':') ? `[${address}]` : address;
  const numbers = Object.values(ports ?? {});
  return numbers.length === 0 ? host : numbers.map((port) => `${host}:${port}`).join(',');
}

/** The table of `perch get KIND`; `now` is in ms since the epoch, `counts`: whether visitors are counted. */
export function tableRows(
  kind: Kind,
  objects: readonly ObjectView[],
  { now, wide, counts }: { readonly now: number; readonly wide: boolean; readonly counts: boolean },
): TableRows {
  const { head, wide: further, cells, wideCells } = kind === 'CanaryRelease' && !counts ? UNCOUNTED_RELEASE : COLUMNS[kind];
  return {
    head: ['NAME', ...head, 'AGE', ...(wide ? further : [])],
    rows: objects.map((object) =>
      [object.metadata.name, ...cells(object), ageText(object.metadata.creationTimestamp, now), ...(wide ? wideCells(object) : [])].map(
        printable,
      ),
    ),
  };
}
