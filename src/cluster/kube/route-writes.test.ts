import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../core/istio/resources.ts';
import type { ApiObject } from './kube-object.ts';
import type { ManagedFields } from './managed-fields.ts';
import { routeWrite } from './route-writes.ts';

const WOVEN = [{ name: 'perch:shop/web:rest:stable:v1:', route: [] }];
const BARE = [{ route: [] }];
const OWNED = { 'perch.dev/owned-by': 'shop/web' };

const route = (spec: object, metadata: Partial<ApiObject['metadata']> = {}): ApiObject => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name: 'web', namespace: 'shop', ...metadata },
  spec: spec as KubeObject['spec'],
});
const applied = (fields: object, more: Partial<ManagedFields> = {}): ManagedFields => ({
  manager: 'perch',
  operation: 'Apply',
  apiVersion: 'networking.istio.io/v1',
  time: '2026-11-29T10:00:00Z',
  fieldsType: 'FieldsV1',
  fieldsV1: fields as NonNullable<ManagedFields['fieldsV1']>,
  ...more,
});
const owner = applied({ 'f:spec': { 'f:hosts': {} } }, { manager: 'owner' });

describe('an object of somebody else', () => {
  const metadata = { labels: { team: 'a' }, annotations: { note: '1' } };

  test('into which a release is woven: spec.http, and nothing else of it', () => {
    const write = routeWrite(route({ hosts: ['web'], http: BARE }, metadata), route({ hosts: ['web'], http: WOVEN }, metadata));
    expect(write).toEqual({
      applied: route({ http: WOVEN }),
      foreign: [],
      isOwned: false,
      isLeft: false,
    });
  });

  test('that is un-woven: spec.http once more, and then it is left', () => {
    const managedFields = [owner, applied({ 'f:spec': { 'f:http': {} } })];
    const write = routeWrite(
      route({ hosts: ['web'], http: WOVEN }, { ...metadata, managedFields }),
      route({ hosts: ['web'], http: BARE }, metadata),
    );
    expect(write).toEqual({ applied: route({ http: BARE }), foreign: [], isOwned: false, isLeft: true });
  });

  test('that was a release’s own until now: what Perch is not to own any more is given up first, or it would go', () => {
    const managedFields = [
      applied({ 'f:metadata': { 'f:annotations': { 'f:perch.dev/owned-by': {} } }, 'f:spec': { 'f:hosts': {}, 'f:http': {} } }),
    ];
    const write = routeWrite(
      route({ hosts: ['web'], http: WOVEN }, { annotations: OWNED, managedFields }),
      route({ hosts: ['web'], http: WOVEN }, { annotations: { 'perch.dev/formerly-owned-by': 'shop/web' } }),
    );
    expect(write.managedFields).toEqual([
      applied({ 'f:metadata': { 'f:annotations': { 'f:perch.dev/owned-by': {} } }, 'f:spec': { 'f:http': {} } }),
    ]);
    expect(write.applied).toEqual(route({ http: WOVEN }, { annotations: { 'perch.dev/formerly-owned-by': 'shop/web' } }));
  });

  test('that is left behind: all that Perch owned is applied once more', () => {
    const managedFields = [applied({ 'f:spec': { 'f:hosts': {}, 'f:http': {} } })];
    const write = routeWrite(
      route({ hosts: ['web'], http: WOVEN }, { annotations: OWNED, managedFields }),
      route({ hosts: ['web'], http: BARE }),
    );
    expect(write).toEqual({ applied: route({ hosts: ['web'], http: BARE }), foreign: [], isOwned: false, isLeft: true });
  });
});

describe('an object that a release owns', () => {
  const wanted = route({ hosts: ['web'], http: WOVEN }, { annotations: OWNED });

  test('is applied whole; what others put into its spec goes, their labels stay theirs', () => {
    const write = routeWrite(
      route({ hosts: ['web'], http: BARE, tls: [] }, { labels: { team: 'a' }, annotations: { ...OWNED, note: '1' } }),
      wanted,
    );
    expect(write).toEqual({ applied: wanted, foreign: ['tls'], isOwned: true, isLeft: false });
  });

  test('that was created, or written by an earlier Perch, counts as applied first', () => {
    const fields = { 'f:spec': { '.': {}, 'f:hosts': {}, 'f:http': {} } };
    const managedFields = [applied(fields, { operation: 'Update' }), owner];
    expect(routeWrite(route({ hosts: ['web'], http: BARE }, { annotations: OWNED, managedFields }), wanted).managedFields).toEqual([
      owner,
      applied(fields),
    ]);
  });
});
