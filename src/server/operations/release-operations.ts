import { z } from 'zod';
import { KIND } from '../../core/release/canary-release.ts';
import { MAX_EVENTS } from '../../core/release/release-event.ts';
import { REQUEST_ACTIONS } from '../../core/release/requests.ts';
import { appliedView, deletedView, requestView } from '../../core/view/change-views.ts';
import { diagnosticView } from '../../core/view/diagnostic-view.ts';
import { historyView } from '../../core/view/history-view.ts';
import { releaseView } from '../../core/view/object-views.ts';
import { visitorView } from '../../core/view/visitor-view.ts';
import { operation } from './operation.ts';
import { whoAsks } from './who-asks.ts';

const BASE = '/api/v1/releases';
const ONE = `${BASE}/{namespace}/{name}` as const;
/** Longest that one call waits for a request's outcome, in ms. */
const MAX_WAIT_MS = 600_000;
const tag = 'Releases';
const absent = { 404: ['PERCH4005'] } as const;

/** `/api/v1/releases`: releases, and what is asked of them. */
export const RELEASE_OPERATIONS = {
  list: operation({
    id: 'listReleases',
    method: 'get',
    path: BASE,
    tag,
    access: 'view',
    summary: 'All releases, in order of creation',
    answers: { 200: { description: 'The releases', schema: z.strictObject({ items: z.array(releaseView) }) } },
  }),
  get: operation({
    id: 'getRelease',
    method: 'get',
    path: ONE,
    tag,
    access: 'view',
    summary: 'A release: as it was applied, where it stands, and who has seen it',
    answers: { 200: { description: 'The release', schema: releaseView } },
    problems: absent,
  }),
  apply: operation({
    id: 'applyRelease',
    method: 'put',
    path: ONE,
    tag,
    access: 'act',
    summary: 'Applies one release',
    query: z.strictObject(whoAsks),
    body: z.looseObject({
      kind: z.literal(KIND),
      metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
    }),
    answers: { 200: { description: 'It was applied', schema: appliedView } },
    problems: { 422: ['PERCH4007'], 507: ['PERCH4062'] },
  }),
  delete: operation({
    id: 'deleteRelease',
    method: 'delete',
    path: ONE,
    tag,
    access: 'act',
    summary: 'Takes the routes of a release out, to the live version, and then removes it',
    query: z.strictObject({
      ...whoAsks,
      restoreBase: z
        .enum(['true', 'false'])
        .transform((value) => value === 'true')
        .default(false)
        .describe('To where the bases lead instead.'),
    }),
    answers: { 202: { description: 'It goes once its routes were taken out', schema: deletedView } },
    problems: { ...absent, 507: ['PERCH4062'] },
  }),
  request: operation({
    id: 'requestOfRelease',
    method: 'post',
    path: `${ONE}/requests`,
    tag,
    access: 'act',
    summary: 'Asks a release to promote, pause, resume, roll back or retry; the same id is never handled twice',
    query: z.strictObject({
      wait: z
        .string()
        .regex(/^\d{1,6}$/, 'milliseconds')
        .transform(Number)
        .refine((ms) => ms <= MAX_WAIT_MS, `at most ${MAX_WAIT_MS} milliseconds`)
        .optional()
        .describe('How long the answer may wait for the outcome, in ms; for rollback and promote until the routes are confirmed.'),
    }),
    body: z
      .strictObject({
        action: z.enum(REQUEST_ACTIONS),
        full: z.boolean().optional().describe('Only with promote: to the end, past all steps that are left.'),
        by: z.string().min(1).max(200).describe('Who asks, as they call themselves.'),
        id: z
          .string()
          .regex(/^[A-Za-z0-9._-]{1,64}$/, '1 to 64 letters, digits, dots, hyphens or underscores')
          .optional(),
      })
      .refine(({ action, full }) => full !== true || action === 'promote', { path: ['full'], error: 'only with action promote' }),
    answers: {
      200: { description: 'It is done', schema: requestView },
      202: { description: 'It is asked for, and not done yet', schema: requestView },
    },
    problems: { ...absent, 409: ['PERCH4008'], 507: ['PERCH4062'] },
  }),
  history: operation({
    id: 'historyOfRelease',
    method: 'get',
    path: `${ONE}/history`,
    tag,
    access: 'view',
    summary: 'What happened to a release, also after it was deleted',
    query: z.strictObject({
      limit: z
        .string()
        .regex(/^[1-9]\d{0,2}$/, `1 to ${MAX_EVENTS}`)
        .transform(Number)
        .refine((count) => count <= MAX_EVENTS, `at most ${MAX_EVENTS}`)
        .default(100)
        .describe(`How many events at most: 1 to ${MAX_EVENTS}.`),
      before: z
        .string()
        .regex(/^\d{1,15}$/, 'the id of an event')
        .transform(Number)
        .optional()
        .describe('Only those before the event of this id.'),
    }),
    answers: { 200: { description: 'A page of events', schema: historyView } },
    problems: absent,
  }),
  findings: operation({
    id: 'findingsOfRelease',
    method: 'get',
    path: `${ONE}/findings`,
    tag,
    access: 'view',
    summary: 'What weaving says of a release and its bases as they are, and what its requests show to be wrong',
    answers: { 200: { description: 'The findings', schema: z.strictObject({ items: z.array(diagnosticView) }) } },
    problems: absent,
  }),
  visitor: operation({
    id: 'visitorOfRelease',
    method: 'get',
    path: `${ONE}/visitors/{id}`,
    tag,
    access: 'view',
    summary: 'Where a visitor stands in a release',
    query: z.strictObject({
      told: z
        .enum(['canary', 'stable'])
        .optional()
        .describe('What the edge told about the visitor, as behind it in the baggage: counts where ids say nothing.'),
    }),
    answers: { 200: { description: 'The visitor', schema: visitorView } },
    problems: absent,
  }),
};
