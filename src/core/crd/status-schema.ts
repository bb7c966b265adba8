import { PHASES } from '../release/phase.ts';
import { REQUEST_ACTIONS } from '../release/requests.ts';
import { BUCKETS, OFFSETS } from '../visitor/bucket.ts';
import type { StructuralSchema } from './structural-schema.ts';

type Fields = Readonly<Record<string, StructuralSchema>>;

const text: StructuralSchema = { type: 'string' };
const time: StructuralSchema = { type: 'string', format: 'date-time' };
const count: StructuralSchema = { type: 'integer', minimum: 0 };
const weight: StructuralSchema = { type: 'number', minimum: 0, maximum: 100 };
const flag: StructuralSchema = { type: 'boolean' };
const revision: StructuralSchema = { 'x-kubernetes-int-or-string': true };
const choice = (values: readonly string[]): StructuralSchema => ({ type: 'string', enum: values });
const mapping = (properties: Fields, required: readonly string[] = []): StructuralSchema => ({
  type: 'object',
  ...(required.length > 0 ? { required } : {}),
  properties,
});
const list = (items: StructuralSchema): StructuralSchema => ({ type: 'array', items });

const version = mapping({ subset: text, host: text, port: count });
const canaryCookie = mapping({ name: text, value: text, maxAge: count });
const handled = mapping({
  id: text,
  action: choice(REQUEST_ACTIONS),
  full: flag,
  by: text,
  at: time,
  outcome: choice(['done', 'refused']),
  message: text,
});
const ended = mapping({
  stable: version,
  canary: version,
  revision,
  startedAt: time,
  endedAt: time,
  outcome: choice(['Succeeded', 'RolledBack', 'Superseded']),
  canaryCookie,
  by: text,
  reason: text,
});
const condition = mapping(
  {
    type: text,
    status: choice(['True', 'False', 'Unknown']),
    reason: text,
    message: text,
    lastTransitionTime: time,
    observedGeneration: count,
  },
  ['type', 'status'],
);

const FIELDS: Fields = {
  phase: choice(PHASES),
  message: { ...text, description: 'One sentence: what is, or what is missing.' },
  step: { type: 'integer', minimum: -1, description: 'Index in spec.steps of the current step; -1 before the first.' },
  progress: { ...text, description: 'Which step it is on, of how many: 2 of 3.' },
  weight: { ...weight, description: 'Share of visitors on the canary, in percent.' },
  cutoff: { ...count, maximum: BUCKETS, description: 'Visitors whose bucket is below it are on the canary.' },
  exposure: {
    ...text,
    description:
      'Share of all buckets, and so of visitors, below the cutoff: the weight, rounded to a whole bucket. Absent with canaryOnly.',
  },
  offset: { type: 'integer', enum: OFFSETS, description: 'Which digits of a visitor id the bucket is read from.' },
  canaryCookie,
  started: { ...count, description: 'How many releases were started on this object.' },
  liveVersion: { ...version, description: 'What all visitors get outside a release.' },
  stable: version,
  canary: version,
  revision,
  startedAt: time,
  stepStartedAt: { ...time, description: 'When the routes of this step were confirmed.' },
  holdUntil: { ...time, description: 'When a timed hold ends.' },
  holdRemainingMs: count,
  pausedBy: choice(['hold', 'request', 'canaryLost']),
  canaryLostSince: time,
  stableLostSince: time,
  suspended: flag,
  rollback: mapping({ reason: text, weight, by: text }),
  promotion: mapping({ weight, by: text }),
  endpoints: list(mapping({ version, ready: count, total: count })),
  scaling: {
    ...mapping({
      last: mapping({ version, deployment: text, from: count, to: count, at: time, cause: text, weight, request: text, failure: text }),
      former: { ...mapping({ version, replicas: count, isDone: flag }), description: 'The replicas that a rollback brings back.' },
      notScaled: { ...text, description: 'Why nothing is scaled although it should be.' },
    }),
    description: 'What was done as spec.scaling asks.',
  },
  observedGeneration: count,
  lastRequest: { ...handled, description: 'The last request that was handled, and what came of it.' },
  earlierRequests: list(handled),
  history: { ...list(ended), description: 'Releases that have ended, newest first.' },
  conditions: {
    ...list(condition),
    description: 'Ready, Reconciling and Stalled, as kstatus reads them.',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['type'],
  },
};

/** The schema of `status`: the fields of `ReleaseStatus`. Whoever writes it is trusted, so that it says little more than types. */
export const STATUS_SCHEMA: StructuralSchema = mapping(FIELDS);
