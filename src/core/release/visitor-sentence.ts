import { BUCKETS, bucketOf, type Offset, weightReaching } from '../visitor/bucket.ts';
import { type Cohort, offsetOf } from '../visitor/cohort.ts';
import type { Version } from './canary-release.ts';
import type { ReleaseStatus } from './status.ts';
import { describeVersion } from './version.ts';

/** What is read of a release: as applied or with defaults, with its status if it has one. */
export interface ReleaseOfVisitor {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly service: { readonly host: string };
    readonly canary: Version;
    readonly stable?: Version | undefined;
    readonly revision?: number | string | undefined;
    readonly cohort?: 'auto' | number | undefined;
    readonly affinity?: { readonly mode?: 'visitor' | 'canaryOnly' | undefined } | undefined;
  };
  readonly status?: ReleaseStatus | undefined;
}

/** Where a visitor stands in a release. */
export interface VisitorView {
  /** 0 to 4095, in the release's draw; absent in `affinity.mode: canaryOnly`, where no bucket decides. */
  readonly bucket?: number;
  /** Absent where it cannot be known: in `canaryOnly`, of a visitor of whom the edge told nothing. */
  readonly cohort?: Cohort;
  /** What the visitor gets now, as in a sentence (`v1`); absent while no release has said which versions there are, and with `cohort`. */
  readonly version?: string;
  /** The weight in percent at which the visitor's turn comes; absent once it has come, or will not come. */
  readonly movesAt?: number;
  /** How far the release is: weight in percent, 0 before it and after a rollback, 100 once it succeeded. */
  readonly weight: number;
  /** Where the visitor stands, for people. */
  readonly sentence: string;
}

/**
 * Tells a visitor where they stand: "visitor …c21f, bucket 2871 of 4096: reviews v1; you move to v2 when the release passes 70.1 %".
 * Undefined for what is no visitor id. In `affinity.mode: canaryOnly` an id says nothing: there only counts what the edge `told`, which is
 * whether the visitor holds, or has just drawn, the canary's cookie; where it told nothing, nothing is known.
 */
export function describeVisitor(release: ReleaseOfVisitor, visitorId: string, told?: Cohort): VisitorView | undefined {
  if (isDrawn(release)) return viewOf(release, drawnStanding(release, told), '');
  const bucket = bucketOf(visitorId, drawOf(release));
  if (bucket === undefined) return undefined;
  const who = `visitor …${visitorId.slice(-4)}, bucket ${bucket} of ${BUCKETS}: `;
  return { bucket, ...viewOf(release, bucketStanding(release, bucket), who) };
}

interface Standing {
  readonly cohort?: Cohort;
  readonly version?: string | undefined;
  readonly movesAt?: number;
  /** The end of the sentence. */
  readonly rest: string;
}

function viewOf({ spec, status }: ReleaseOfVisitor, { cohort, version, movesAt, rest }: Standing, who: string): VisitorView {
  const service = serviceName(spec.service.host);
  return {
    ...(cohort === undefined ? {} : { cohort }),
    ...(version === undefined ? {} : { version }),
    ...(movesAt === undefined ? {} : { movesAt }),
    weight: status?.weight ?? 0,
    sentence: `${who}${version === undefined ? service : `${service} ${version}`}${rest}`,
  };
}

function bucketStanding(release: ReleaseOfVisitor, bucket: number): Standing {
  const { spec, status } = release;
  const reached = weightReaching(bucket);
  // A release passes the last weight of the 0.1 % grid that still leaves the visitor where they were.
  const passed = Math.round(reached * 10 - 1) / 10;
  const canary = canaryName(release);
  if (status === undefined || status.phase === 'Pending') {
    const rest = `; the release to ${describeVersion(spec.canary)} has not started: you move when it passes ${passed} %`;
    return { cohort: 'stable', version: versionBefore(release), movesAt: reached, rest };
  }
  switch (status.phase) {
    case 'Progressing':
    case 'Paused':
      if (bucket < (status.cutoff ?? 0)) return { cohort: 'canary', version: canary, rest: `, since the release passed ${passed} %` };
      return {
        cohort: 'stable',
        version: nameOf(status.stable),
        movesAt: reached,
        rest: `; you move to ${canary} when the release passes ${passed} %`,
      };
    case 'Completing':
      return { cohort: 'canary', version: canary, rest: `, since the release passed ${passed} %` };
    default:
      return settledStanding(status, canary);
  }
}

/** Whether requests are drawn and no bucket decides (`affinity.mode: canaryOnly`). */
function isDrawn({ spec, status }: ReleaseOfVisitor): boolean {
  if (status === undefined || status.phase === 'Pending') return spec.affinity?.mode === 'canaryOnly';
  return status.canaryCookie !== undefined;
}

function drawnStanding(release: ReleaseOfVisitor, told: Cohort | undefined): Standing {
  const { spec, status } = release;
  const canary = canaryName(release);
  if (status === undefined || status.phase === 'Pending') {
    const rest = `; the release to ${describeVersion(spec.canary)} has not started`;
    return { cohort: 'stable', version: versionBefore(release), rest };
  }
  switch (status.phase) {
    case 'Progressing':
    case 'Paused':
      if (told === undefined) return { rest: `: ${status.weight} % of draws are ${canary}, and a cookie keeps on it whoever drew it` };
      if (told === 'canary') return { cohort: 'canary', version: canary, rest: ': you drew it, and a cookie keeps you on it' };
      return {
        cohort: 'stable',
        version: nameOf(status.stable),
        rest: `: you drew it this time. Refresh to draw again: ${status.weight} % of draws are ${canary}`,
      };
    case 'Completing':
      return { cohort: 'canary', version: canary, rest: ', as everyone' };
    default:
      return settledStanding(status, canary);
  }
}

function settledStanding({ phase, liveVersion }: ReleaseStatus, canary: string): Standing {
  const version = nameOf(liveVersion);
  switch (phase) {
    case 'RollingBack':
      return { cohort: 'stable', version, rest: `, as everyone: ${canary} is being rolled back` };
    case 'RolledBack':
      return { cohort: 'stable', version, rest: `, as everyone: ${canary} was rolled back` };
    case 'Superseded':
      return { cohort: 'stable', version, rest: `, as everyone: another release takes the place of that of ${canary}` };
    default:
      return { cohort: 'canary', version, rest: ', as everyone: it is the live version' };
  }
}

function canaryName({ spec, status }: ReleaseOfVisitor): string {
  return nameOf(status?.canary) ?? describeVersion(spec.canary);
}

/** What everyone gets before a release starts. */
function versionBefore({ spec, status }: ReleaseOfVisitor): string | undefined {
  return nameOf(status?.liveVersion) ?? nameOf(spec.stable);
}

/** The draw of the current or last release; before a start, that of the one to come. */
function drawOf({ metadata, spec, status }: ReleaseOfVisitor): Offset {
  if (status?.offset !== undefined && status.phase !== 'Pending') return status.offset;
  const { namespace, name } = metadata;
  return offsetOf({ namespace, name, revision: spec.revision, started: status?.started ?? 0, cohort: spec.cohort ?? 'auto' });
}

function nameOf(version: Version | undefined): string | undefined {
  return version === undefined ? undefined : describeVersion(version);
}

/** `reviews` for `reviews`, `reviews.default` and `reviews.default.svc.cluster.local`. */
function serviceName(host: string): string {
  return host.split('.')[0] ?? host;
}
