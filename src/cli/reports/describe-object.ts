import { refText } from '../../cluster/manifest.ts';
import type { Diagnostic } from '../../core/diagnostics/diagnostic.ts';
import { boundGateways, resolveHost } from '../../core/istio/names.ts';
import type {
  DestinationRuleSpec,
  GatewaySpec,
  ServiceEntrySpec,
  VirtualServiceSpec,
  WorkloadEntrySpec,
} from '../../core/istio/resources.ts';
import { describeVersion } from '../../core/release/version.ts';
import { wovenRuleNames } from '../../core/weave/rule-name.ts';
import { takenText } from '../../core/weave/taken-text.ts';
import type { ObjectView, ReleaseView } from '../../server/release-resource.ts';
import type { Kind } from '../objects/kinds.ts';
import { objectName, refOfView } from '../objects/object-name.ts';
import { ageText } from '../terminal/age.ts';
import { printable } from '../terminal/clip.ts';
import type { Style } from '../terminal/style.ts';
import { table } from '../terminal/table.ts';
import { endpointText, labelText } from './object-rows.ts';
import { claimsOn, type VirtualServiceClaim } from './release-claims.ts';
import { isDrawn, pairOf, percent } from './release-text.ts';
import { factLines, findingLines, section } from './report-lines.ts';
import { actionText, matchText } from './rule-text.ts';
import { endpointsOf, endpointsOfEntry, findingsAbout, hasLabels, type Surroundings } from './surroundings.ts';

/** How a report is printed; `now` is in ms since the epoch. */
export interface ReportOptions {
  readonly now: number;
  readonly style: Style;
  readonly columns: number;
}

type Facts = readonly (readonly [label: string, text: string])[];

/** A part of a report: a title, and lines. */
interface Part {
  readonly title: string;
  readonly lines: readonly string[];
}

interface Report {
  readonly facts: Facts;
  readonly parts: readonly Part[];
}

/** A routing object, as served, as a short report: what it says, which releases are woven in, what is to be said about it. */
export function describeObject(
  kind: Exclude<Kind, 'CanaryRelease'>,
  object: ObjectView,
  around: Surroundings,
  { now, style, columns }: ReportOptions,
): readonly string[] {
  const { facts, parts } = reportOf(kind, object, around);
  const { creationTimestamp, generation } = object.metadata;
  const lines = [
    `${style.bold(objectName(refOfView(object)))}   ${ageText(creationTimestamp, now)} old, generation ${generation}`,
    '',
    ...factLines(
      facts.map(([label, text]) => [label, printable(text)] as const),
      columns,
    ),
    ...parts.flatMap(({ title, lines }) => section(title, lines, style)),
  ];
  const about = [...findingsAbout(around, refOfView(object)).map(withoutObject), ...findingsOfOwner(object, around)];
  const findings = findingLines(about, style, columns - 2);
  return [...lines, ...section('Findings', findings, style)];
}

/** The report names the object already. */
function withoutObject({ object: _, ...finding }: Diagnostic): Diagnostic {
  return finding;
}

function reportOf(kind: Exclude<Kind, 'CanaryRelease'>, object: ObjectView, around: Surroundings): Report {
  switch (kind) {
    case 'VirtualService':
      return virtualServiceReport(object, around);
    case 'Gateway':
      return gatewayReport(object, around);
    case 'DestinationRule':
      return destinationRuleReport(object, around);
    case 'ServiceEntry':
      return serviceEntryReport(object, around);
    case 'WorkloadEntry':
      return workloadEntryReport(object, around);
  }
}

/** Routes that a release declares are mended there: what is said about them names the release. */
function findingsOfOwner({ kind, metadata }: ObjectView, around: Surroundings): readonly Diagnostic[] {
  if (kind !== 'VirtualService') return [];
  const owners = claimsOn(metadata, around.releases).filter(({ role }) => role === 'owned');
  const found = owners.flatMap(({ release }) => findingsAbout(around, refOfView(release)));
  return found.filter(({ path }) => path?.startsWith('spec.route.') === true);
}

/** A table of foreign texts. */
function printableTable(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  return table(
    head,
    rows.map((row) => row.map(printable)),
  );
}

function list(values: readonly string[] | undefined): string {
  return values === undefined || values.length === 0 ? '-' : values.join(', ');
}

/** A release in half a line: `web: v1 → v2, Paused at 10 %`. */
function releaseText(release: ReleaseView): string {
  const { metadata, status } = release;
  const { stable, canary } = pairOf(release);
  const pair = `${stable === undefined ? '?' : describeVersion(stable)} → ${describeVersion(canary)}`;
  return `${metadata.name}: ${pair}, ${status?.phase ?? 'Pending'} at ${percent(status?.weight ?? 0)}`;
}

function claimText({ release, role }: VirtualServiceClaim): string {
  return `${releaseText(release)}; ${{ owned: 'it owns this object', adopted: 'woven in here', issuing: isDrawn(release) ? 'draws visitors here' : 'issues visitor ids here' }[role]}`;
}

function virtualServiceReport(object: ObjectView, around: Surroundings): Report {
  const served = object.spec as VirtualServiceSpec;
  const self = refText(refOfView(object));
  const base = around.bases.find((each) => refText(refOfView(each)) === self);
  const written = (base?.spec ?? object.spec) as VirtualServiceSpec;
  const rules = written.http ?? [];
  const parsed = (served.http ?? []).map((rule) => ({ rule, names: wovenRuleNames(rule.name) }));
  const isWoven = parsed.some(({ names }) => names.length > 0);
  const ruleRows = rules.map((rule, index) => [String(index + 1), rule.name ?? '-', matchText(rule), actionText(rule)]);
  const servedRows = parsed.map(({ rule, names }) => {
    const innermost = names.at(-1);
    if (innermost === undefined) return [rule.name ?? '-', '-', matchText(rule), actionText(rule)];
    const releases = names.map(({ release }) => release).toReversed();
    return [innermost.baseName ?? '-', list(releases), takenText(names, rule), actionText(rule)];
  });
  return {
    facts: [
      ['hosts', list(served.hosts)],
      ['gateways', list(served.gateways ?? ['mesh'])],
      ...claimsOn(object.metadata, around.releases).map((claim, index) => [index === 0 ? 'releases' : '', claimText(claim)] as const),
    ],
    parts: [
      {
        title: isWoven ? 'Rules as applied' : 'Rules',
        lines: ruleRows.length === 0 ? [] : printableTable(['', 'NAME', 'MATCHES', 'TO'], ruleRows),
      },
      { title: 'Rules as served', lines: isWoven ? printableTable(['NAME', 'RELEASE', 'TAKES', 'TO'], servedRows) : [] },
    ],
  };
}

function gatewayReport(object: ObjectView, { bases, releases }: Surroundings): Report {
  const { servers, selector } = object.spec as GatewaySpec;
  const { namespace, name } = object.metadata;
  const bound = bases.filter(
    ({ kind, spec, metadata }) =>
      kind === 'VirtualService' &&
      boundGateways((spec as VirtualServiceSpec).gateways, metadata.namespace).includes(`${namespace}/${name}`),
  );
  const rows = bound.map((each) => [
    objectName(refOfView(each)),
    list((each.spec as VirtualServiceSpec).hosts),
    list(claimsOn(each.metadata, releases).map(({ release }) => release.metadata.name)),
  ]);
  return {
    facts: [['selector', selector === undefined ? '-' : labelText(selector)]],
    parts: [
      {
        title: 'Servers',
        lines: printableTable(
          ['PORT', 'PROTOCOL', 'HOSTS', 'BIND'],
          servers.map(({ port, hosts, bind }) => [String(port.number), port.protocol, list(hosts), bind ?? '-']),
        ),
      },
      {
        title: 'VirtualServices bound to it',
        lines: rows.length === 0 ? ['none: every request gets 404'] : printableTable(['NAME', 'HOSTS', 'RELEASES'], rows),
      },
    ],
  };
}

function destinationRuleReport(object: ObjectView, around: Surroundings): Report {
  const { host, subsets = [] } = object.spec as DestinationRuleSpec;
  const { namespace } = object.metadata;
  const full = resolveHost(host, namespace);
  const endpoints = endpointsOf(around.bases, full);
  const users = around.releases.filter(({ spec, metadata }) => resolveHost(spec.service.host, metadata.namespace) === full);
  const rows = subsets.map(({ name, labels }) => [
    name,
    labelText(labels),
    String(endpoints.filter((endpoint) => hasLabels(endpoint.labels, labels)).length),
    list(users.flatMap((release) => rolesOf(name, release))),
  ]);
  return {
    facts: [
      ['host', full],
      ['releases', list(users.map(releaseText))],
    ],
    parts: [{ title: 'Subsets', lines: rows.length === 0 ? ['none'] : printableTable(['NAME', 'LABELS', 'ENDPOINTS', 'USED AS'], rows) }],
  };
}

/** What a subset is to a release: `stable of web`. */
function rolesOf(subset: string, release: ReleaseView): readonly string[] {
  const { metadata, status } = release;
  const { stable, canary } = pairOf(release);
  const versions = [
    ['live', status?.liveVersion],
    ['stable', stable],
    ['canary', canary],
  ] as const;
  const roles = versions.filter(([, version]) => version !== undefined && 'subset' in version && version.subset === subset);
  return roles.length === 0 ? [] : [`${roles.map(([role]) => role).join(' and ')} of ${metadata.name}`];
}

function serviceEntryReport(object: ObjectView, around: Surroundings): Report {
  const { hosts, ports, resolution, location } = object.spec as ServiceEntrySpec;
  const full = hosts.map((host) => resolveHost(host, object.metadata.namespace));
  const endpoints = endpointsOfEntry(around.bases, object);
  const rules = around.bases.filter(
    ({ kind, spec, metadata }) =>
      kind === 'DestinationRule' && full.includes(resolveHost((spec as DestinationRuleSpec).host, metadata.namespace)),
  );
  return {
    facts: [
      ['hosts', list(full)],
      ['ports', list(ports.map(({ number, name, protocol }) => `${number} (${name}, ${protocol})`))],
      ['kind', `${location ?? 'MESH_EXTERNAL'}, resolution ${resolution ?? 'NONE'}`],
      [
        'subsets',
        list(
          rules.map(
            (rule) => `${objectName(refOfView(rule))}: ${list((rule.spec as DestinationRuleSpec).subsets?.map(({ name }) => name))}`,
          ),
        ),
      ],
    ],
    parts: [
      {
        title: 'Endpoints',
        lines:
          endpoints.length === 0
            ? ['none: requests are answered 503']
            : printableTable(
                ['ADDRESS', 'LABELS', 'FROM'],
                endpoints.map((endpoint) => [endpointText(endpoint), labelText(endpoint.labels), objectName(endpoint.from)]),
              ),
      },
    ],
  };
}

function workloadEntryReport(object: ObjectView, { bases }: Surroundings): Report {
  const { address, ports, labels } = object.spec as WorkloadEntrySpec;
  const selecting = bases.filter(
    ({ kind, spec, metadata }) =>
      kind === 'ServiceEntry' &&
      metadata.namespace === object.metadata.namespace &&
      (spec as ServiceEntrySpec).workloadSelector !== undefined &&
      hasLabels(labels, (spec as ServiceEntrySpec).workloadSelector?.labels),
  );
  return {
    facts: [
      ['address', address],
      ['ports', list(Object.entries(ports ?? {}).map(([name, port]) => `${name} ${port}`))],
      ['labels', labelText(labels)],
      ['services', selecting.length === 0 ? 'no ServiceEntry selects it' : list(selecting.map((each) => objectName(refOfView(each))))],
    ],
    parts: [],
  };
}
