import { z } from 'zod';
import { openSchema } from '../crd/open-schema.ts';
import { STATUS_SCHEMA } from '../crd/status-schema.ts';
import { API_VERSION, canaryReleaseSpec, KIND } from '../release/canary-release.ts';
import { exposureView } from './exposure-view.ts';

const labels = z.record(z.string(), z.string());
const time = z.iso.datetime();

const metaView = z.looseObject({
  name: z.string(),
  namespace: z.string(),
  labels: labels.exactOptional(),
  annotations: labels.exactOptional(),
  generation: z.int().min(1).describe('Grows with each change of the spec.'),
  creationTimestamp: time,
  deletionTimestamp: time.exactOptional().describe('Set while a deletion is under way.'),
});

/** Any object as the API shows it: as it is served, or as its owner applied it. */
export const objectView = z
  .looseObject({
    apiVersion: z.string(),
    kind: z.string(),
    metadata: metaView,
    spec: z.unknown().optional(),
    status: z.unknown().optional(),
  })
  .meta({ id: 'Object' });

const statusView = z.unknown().meta({
  id: 'ReleaseStatus',
  ...openSchema(STATUS_SCHEMA, ['phase', 'message', 'step', 'weight', 'started', 'observedGeneration', 'history', 'conditions']),
});

/** A release as the API shows it: the resource as it was applied, where it stands, and who has seen it. */
export const releaseView = z
  .looseObject({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal(KIND),
    metadata: metaView,
    spec: canaryReleaseSpec.meta({ id: 'CanaryReleaseSpec' }).describe('As applied: before defaults.'),
    status: statusView.optional().describe('Absent until the controller has seen the release.'),
    exposure: exposureView.exactOptional().describe('Absent where nothing was measured yet.'),
  })
  .meta({ id: 'Release' });
