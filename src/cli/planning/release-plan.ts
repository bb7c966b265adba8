import type { Diagnostic } from '../../core/diagnostics/diagnostic.ts';
import type { CanaryCookie } from '../../core/release/canary-cookie.ts';
import type { CanaryRelease, Version } from '../../core/release/canary-release.ts';
import { describeStep } from '../../core/release/describe-step.ts';
import { parseDuration } from '../../core/release/durations.ts';
import { forecastVisitors, type StepForecast } from '../../core/release/visitor-forecast.ts';
import { BUCKETS, type Offset } from '../../core/visitor/bucket.ts';
import { drawOrigin } from '../../core/visitor/cohort.ts';
import type { Circumstances, Performance, Stage } from '../../server/rehearsal/rehearsal.ts';
import { type ObjectPlan, planObjects } from './object-plan.ts';

/** One step of a plan. Times and cutoffs are absent where the release does not get there. */
export interface StepPlan {
  /** Counted from 1. */
  readonly step: number;
  /** In percent. */
  readonly weight: number;
  /** Who comes before the weights, in words; absent in a step that draws. */
  readonly picks?: string;
  readonly hold: string;
  /** Absent with `canaryOnly`. */
  readonly cutoff?: number;
  readonly starts?: StartTime;
  /** Only where traffic was given. With `canaryOnly`: first draws. */
  readonly visitors?: StepForecast;
}

/** When a stage begins, since the start of the release; `manualHolds` (steps, from 1) come on top where nobody said how long they last. */
export interface StartTime {
  readonly afterMs: number;
  readonly manualHolds: readonly number[];
}

/** What decides who is drawn first. */
export interface DrawPlan {
  /** Place in the last group of visitor ids; absent with `canaryOnly`. */
  readonly offset?: Offset;
  /** Only with `canaryOnly`. */
  readonly cookie?: CanaryCookie;
  /** What fixes it beside the release's name; `started`: how many releases were started on the object before. */
  readonly from: 'cohort' | 'revision' | 'started' | 'spec';
}

/** All that a release would do, as things stand in its files. */
export interface ReleasePlan {
  readonly namespace: string;
  readonly name: string;
  readonly service: { readonly host: string; readonly port: number };
  readonly stable?: Version;
  readonly canary: Version;
  readonly mode: 'visitor' | 'canaryOnly';
  /** `live`: the canary is what everyone has already. */
  readonly outcome: 'starts' | 'waits' | 'live';
  /** In a sentence. */
  readonly waitsFor?: string;
  readonly started: number;
  readonly visitorsPerMinute?: number;
  readonly draw?: DrawPlan;
  readonly steps: readonly StepPlan[];
  /** When the canary is the live version. */
  readonly ends?: StartTime;
  readonly objects: readonly ObjectPlan[];
  readonly findings: readonly Diagnostic[];
}

/** What is asked of a plan beside the release. */
export interface PlanQuestion extends Circumstances {
  readonly visitorsPerMinute?: number;
  readonly withDiffs: boolean;
}

/** The plan of a release from its rehearsal. */
export async function planRelease(release: CanaryRelease, performance: Performance, question: PlanQuestion): Promise<ReleasePlan> {
  const { namespace, name } = release.metadata;
  const { service, canary, affinity } = release.spec;
  const { stages, waiting, findings } = performance;
  const first = stages.find(({ kind }) => kind === 'step');
  const end = stages.find(({ kind }) => kind === 'after');
  const stable = first?.status.stable ?? release.spec.stable ?? question.live;
  return {
    namespace,
    name,
    service,
    ...(stable === undefined ? {} : { stable }),
    canary,
    mode: affinity.mode,
    outcome: waiting !== undefined ? 'waits' : first === undefined ? 'live' : 'starts',
    ...(waiting === undefined ? {} : { waitsFor: waiting }),
    started: question.started ?? 0,
    ...(question.visitorsPerMinute === undefined ? {} : { visitorsPerMinute: question.visitorsPerMinute }),
    ...(first === undefined ? {} : { draw: drawOf(release, first) }),
    steps: stepsOf(release, stages, question),
    ...(end === undefined || first === undefined ? {} : { ends: startOf(end, question) }),
    objects: await planObjects(release, stages, question.withDiffs),
    findings,
  };
}

function drawOf({ spec }: CanaryRelease, { status }: Stage): DrawPlan {
  const { offset, canaryCookie: cookie } = status;
  const { revision, cohort } = spec;
  if (cookie === undefined) return { ...(offset === undefined ? {} : { offset }), from: drawOrigin({ revision, cohort }) };
  const from = spec.affinity.cookie?.value !== undefined ? 'spec' : drawOrigin({ revision, cohort: 'auto' });
  return { cookie, from };
}

function stepsOf({ spec }: CanaryRelease, stages: readonly Stage[], question: PlanQuestion): readonly StepPlan[] {
  const at = (index: number): Stage | undefined => stages.find(({ kind, step }) => kind === 'step' && step === index);
  const { visitorsPerMinute } = question;
  const forecasts = visitorsPerMinute === undefined ? [] : forecastVisitors(forecastSteps(spec, at, question), visitorsPerMinute);
  return spec.steps.map(({ weight, match, hold }, index) => {
    const stage = at(index);
    const forecast = forecasts[index];
    const cutoff = stage?.status.cutoff;
    return {
      step: index + 1,
      weight,
      ...(match === undefined ? {} : { picks: describeStep({ match }) }),
      hold,
      ...(cutoff === undefined ? {} : { cutoff }),
      ...(stage === undefined ? {} : { starts: startOf(stage, question) }),
      ...(stage === undefined || forecast === undefined ? {} : { visitors: forecast }),
    };
  });
}

function forecastSteps({ steps }: CanaryRelease['spec'], at: (index: number) => Stage | undefined, { manualHoldMs }: PlanQuestion) {
  return steps.map(({ weight, hold }, index) => {
    const cutoff = at(index)?.status.cutoff;
    return {
      share: cutoff === undefined ? weight / 100 : cutoff / BUCKETS,
      holdMs: hold === 'manual' ? manualHoldMs : parseDuration(hold),
    };
  });
}

function startOf({ elapsedMs, manualHolds }: Stage, { manualHoldMs }: PlanQuestion): StartTime {
  return { afterMs: elapsedMs, manualHolds: manualHoldMs === undefined ? manualHolds.map((step) => step + 1) : [] };
}
