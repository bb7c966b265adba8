import { expect, test } from 'vitest';
import type { KubeObject } from '../../core/istio/resources.ts';
import { handedBack, isManaged, type ManagedFields, narrowed, ownedSpecFields, writersOf } from './managed-fields.ts';

const entry = (manager: string, fields: readonly string[], more: Partial<ManagedFields> = {}): ManagedFields => ({
  manager,
  operation: 'Apply',
  apiVersion: 'networking.istio.io/v1',
  time: '2026-11-29T10:00:00Z',
  fieldsType: 'FieldsV1',
  fieldsV1: { 'f:spec': Object.fromEntries(fields.map((field) => [`f:${field}`, {}])) },
  ...more,
});
const object = (...managedFields: readonly ManagedFields[]): KubeObject => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name: 'web', managedFields } as KubeObject['metadata'],
});

test('what Perch owns, by whichever kind of write, and not what it wrote of a status', () => {
  const mixed = object(entry('perch', ['http']), entry('perch', ['hosts'], { operation: 'Update' }), entry('owner', ['gateways']));
  expect([isManaged(mixed), ownedSpecFields(mixed)]).toEqual([true, ['http', 'hosts']]);
  expect(isManaged(object(entry('perch', ['http'], { subresource: 'status' }), entry('owner', ['http'])))).toBe(false);
  expect([isManaged(object()), ownedSpecFields(object())]).toEqual([false, []]);
});

test('who wrote a field, the last one first, without Perch', () => {
  const written = object(
    entry('kubectl-edit', ['http'], { operation: 'Update', time: '2026-11-29T10:00:01Z' }),
    entry('argocd-controller', ['http', 'hosts'], { time: '2026-11-29T10:00:02Z' }),
    entry('helm', ['hosts'], { time: '2026-11-29T10:00:03Z' }),
    entry('perch', ['http'], { time: '2026-11-29T10:00:04Z' }),
  );
  expect(writersOf(written, 'http')).toEqual(['argocd-controller', 'kubectl-edit']);
});

test('what is handed back is nobody’s, or those of others; where Perch was alone, one empty entry asks for none', () => {
  expect(handedBack(object(entry('owner', ['hosts']), entry('perch', ['http'])))).toEqual([entry('owner', ['hosts'])]);
  expect(handedBack(object(entry('perch', ['http'])))).toEqual([{}]);
});

test('nothing has to be narrowed where Perch applied no more than it is to apply', () => {
  expect(narrowed(object(entry('perch', ['http'])), ['hosts'])).toBeUndefined();
  expect(narrowed(object(), ['hosts'])).toBeUndefined();
  expect(narrowed(object(entry('perch', ['hosts', 'http']), entry('owner', ['gateways'])), ['hosts'])).toEqual([
    entry('owner', ['gateways']),
    entry('perch', ['http']),
  ]);
  expect(narrowed(object(entry('perch', ['hosts'])), ['hosts'])).toEqual([{}]);
});
