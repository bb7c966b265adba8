import { z } from 'zod';
import { releaseView } from '../../core/view/object-views.ts';
import { timelineSample } from '../../core/view/timeline-view.ts';
import { operation } from './operation.ts';

const text = { type: 'text/plain' } as const;
const ref = { namespace: z.string(), name: z.string() };

/** What is told of the runtime itself, and of everything that happens in it. */
export const RUNTIME_OPERATIONS = {
  healthz: operation({
    id: 'isAlive',
    method: 'get',
    path: '/healthz',
    tag: 'Runtime',
    access: 'anyone',
    summary: 'Whether it answers at all',
    answers: { 200: { description: '`ok`', ...text } },
  }),
  readyz: operation({
    id: 'isReady',
    method: 'get',
    path: '/readyz',
    tag: 'Runtime',
    access: 'anyone',
    summary: 'Whether it serves what is stored',
    answers: { 200: { description: '`ok`', ...text }, 503: { description: 'What is missing, for people', ...text } },
  }),
  metrics: operation({
    id: 'metrics',
    method: 'get',
    path: '/metrics',
    tag: 'Runtime',
    access: 'view',
    summary: 'Metrics in the text format of Prometheus (docs/reference/metrics.md)',
    answers: { 200: { description: 'The metrics', ...text } },
  }),
  openApi: operation({
    id: 'openApi',
    method: 'get',
    path: '/api/v1/openapi.json',
    tag: 'Runtime',
    access: 'view',
    summary: 'This document',
    answers: { 200: { description: 'An OpenAPI document', schema: z.looseObject({ openapi: z.string() }) } },
  }),
  events: operation({
    id: 'events',
    method: 'get',
    path: '/api/v1/events',
    tag: 'Events',
    access: 'view',
    summary: 'Releases as they are now and as they change, until the caller goes (server-sent events); a slow reader gets the newest state',
    answers: {
      200: {
        description: 'A stream that does not end; comments show that it lives',
        type: 'text/event-stream',
        events: {
          release: releaseView,
          deleted: z.strictObject(ref),
          sample: z.strictObject({ ...ref, sample: timelineSample.meta({ id: 'TimelineSample' }) }),
        },
      },
    },
    problems: { 503: ['PERCH4098'] },
  }),
};
