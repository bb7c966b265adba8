import { z } from 'zod';
import { appliedView, deletedView } from '../../core/view/change-views.ts';
import { objectView } from '../../core/view/object-views.ts';
import { operation } from './operation.ts';
import { whoAsks } from './who-asks.ts';

const BASE = '/api/v1/objects';
const ONE = `${BASE}/{kind}/{namespace}/{name}` as const;
const tag = 'Objects';
const absent = { 404: ['PERCH4005'] } as const;

const view = z.enum(['served', 'base']).default('served').describe('With releases woven in, or as its owner applied it.');

/** `/api/v1/objects`: every object, as it is served or as its owner applied it. */
export const OBJECT_OPERATIONS = {
  list: operation({
    id: 'listObjects',
    method: 'get',
    path: BASE,
    tag,
    access: 'view',
    summary: 'Objects, in order of creation',
    query: z.strictObject({ kind: z.string().optional(), namespace: z.string().optional(), view }),
    answers: { 200: { description: 'The objects', schema: z.strictObject({ items: z.array(objectView) }) } },
  }),
  apply: operation({
    id: 'applyObjects',
    method: 'put',
    path: BASE,
    tag,
    access: 'act',
    summary: 'Applies objects: all of them, or none',
    query: z.strictObject(whoAsks),
    body: z.strictObject({
      objects: z.array(z.unknown()).min(1).max(10_000).describe('Kubernetes-style objects.'),
      // Other sources apply through the store: an API client cannot overwrite what the files of `perch serve` applied last.
      source: z.literal('api').optional(),
    }),
    answers: { 200: { description: 'They were applied', schema: appliedView } },
    problems: { 422: ['PERCH4007'], 507: ['PERCH4062'] },
  }),
  get: operation({
    id: 'getObject',
    method: 'get',
    path: ONE,
    tag,
    access: 'view',
    summary: 'One object',
    query: z.strictObject({ view }),
    answers: { 200: { description: 'The object', schema: objectView } },
    problems: absent,
  }),
  delete: operation({
    id: 'deleteObject',
    method: 'delete',
    path: ONE,
    tag,
    access: 'act',
    summary: 'Deletes one object; a release only once its routes were taken out',
    query: z.strictObject(whoAsks),
    answers: {
      200: { description: 'It is deleted', schema: deletedView },
      202: { description: 'A release: it goes once its routes were taken out', schema: deletedView },
    },
    problems: { ...absent, 409: ['PERCH4011'], 507: ['PERCH4062'] },
  }),
};
