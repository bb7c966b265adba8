import type { ExposureSummary } from '../../core/evidence/exposure.ts';
import type { Version } from '../../core/release/canary-release.ts';
import type { ReleaseStatus } from '../../core/release/status.ts';
import { describeVersion } from '../../core/release/version.ts';

/** A step as it was applied. */
export interface ReleaseStep {
  /** Percent; absent in a step that picks by header. */
  readonly weight?: number;
  readonly match?: readonly { readonly headers: Readonly<Record<string, unknown>> }[];
  /** A duration as in `10m`, or `manual`. */
  readonly hold: string;
}

/** As much of a ReleaseView (docs/architecture.md, HTTP API) as the page reads. */
export interface Release {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly generation: number;
    readonly creationTimestamp: string;
    readonly deletionTimestamp?: string;
  };
  readonly spec: {
    readonly service: { readonly host: string; readonly port?: number };
    readonly canary: Version;
    readonly stable?: Version;
    readonly affinity?: { readonly mode?: 'visitor' | 'canaryOnly' };
    readonly steps: readonly ReleaseStep[];
  };
  /** Absent until the controller has seen the release. */
  readonly status?: ReleaseStatus;
  /** Absent where nothing was measured yet, and where nothing measures. */
  readonly exposure?: ExposureSummary;
}

/** Namespace and name: what tells releases apart. */
export function keyOf({ metadata }: Release): string {
  return `${metadata.namespace}/${metadata.name}`;
}

/** What the versions of the current or last release are called; of one that has not started, those that it asks for. */
export interface VersionNames {
  readonly stable: string;
  readonly canary: string;
  /** The service, as in a sentence. */
  readonly service: string;
}

/** See `VersionNames`; `the former version` where nothing says what stable is. */
export function versionNames({ spec, status }: Pick<Release, 'spec' | 'status'>): VersionNames {
  const isPending = status === undefined || status.phase === 'Pending';
  const stable = isPending ? (spec.stable ?? status?.liveVersion) : (status.stable ?? spec.stable ?? status.liveVersion);
  const canary = isPending ? spec.canary : (status.canary ?? spec.canary);
  return {
    stable: stable === undefined ? 'the former version' : describeVersion(stable),
    canary: describeVersion(canary),
    service: spec.service.host.split('.')[0] ?? spec.service.host,
  };
}

/** Index of the step that comes next, -1 where none does (as core/release/turn.ts has it). */
export function nextStepIndex({ spec, status }: Pick<Release, 'spec' | 'status'>): number {
  const { step = -1, weight = 0 } = status ?? {};
  return spec.steps.findIndex((each, index) => ((each.weight ?? 0) === 0 ? weight === 0 && index > step : (each.weight ?? 0) > weight));
}
