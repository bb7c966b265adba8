import { beforeEach, expect, test } from 'vitest';
import { releaseAdmission } from '../admission.ts';
import type { StoredObject } from '../store.ts';
import { AdmittedReleases, type Refused } from './admitted-releases.ts';
import { type ApiObject, FINALIZER, storedObject } from './kube-object.ts';

const release = (name: string, spec: object = {}, metadata: Partial<ApiObject['metadata']> = {}): ApiObject => ({
  apiVersion: 'perch.dev/v1alpha1',
  kind: 'CanaryRelease',
  metadata: { name, namespace: 'default', generation: 1, ...metadata },
  spec: {
    service: { host: name, port: 80 },
    stable: { subset: 'v1' },
    canary: { subset: 'v2' },
    route: { adopt: { virtualService: name } },
    steps: [{ weight: 100, hold: 'manual' }],
    ...spec,
  },
});
const invalid = (name: string, metadata: Partial<ApiObject['metadata']> = {}) =>
  release(name, { route: { managed: { hosts: ['a.test'], http: [{ rute: [], route: [{ destination: { host: 'a' } }] }] } } }, metadata);
const of = (host: string) => ({ service: { host, port: 80 } });

let known: Map<string, StoredObject>;
let refused: string[];
let releases: AdmittedReleases;
const note = ({ object: { metadata }, diagnostics, isNew }: Refused) =>
  `${metadata.name} ${diagnostics.map(({ code }) => code).join(' ')}${isNew ? ' new' : ''}`;
beforeEach(() => {
  known = new Map();
  refused = [];
  releases = new AdmittedReleases({
    admission: releaseAdmission,
    known: () => [...known.values()],
    get: ({ name }) => known.get(name),
    admit: (object) => {
      const { name } = object.metadata;
      known.set(name, storedObject(object, known.get(name), 1));
    },
    onRefused: (ref) => {
      const now = releases.refused(ref);
      if (now !== undefined) refused.push(note(now));
    },
  });
});
const hosts = () =>
  [...known.values()]
    .filter(({ ref }) => ref.kind === 'CanaryRelease')
    .map(({ ref, base }) => `${ref.name} ${(base.spec as { service: { host: string } }).service.host}`);

test('what is valid and alone is admitted; what is not valid is not there, and told once', () => {
  releases.applied(release('web'));
  releases.applied(invalid('odd'));
  releases.applied(invalid('odd', { resourceVersion: '2' }));
  expect([hosts(), refused]).toEqual([['web web'], ['odd PERCH1101 new']]);
});

test('of two for one service the first is there; the other once that has gone', () => {
  releases.applied(release('web'));
  releases.applied(release('second', of('web')));
  expect([hosts(), refused]).toEqual([['web web'], ['second PERCH3050 new']]);
  releases.lookAgain();
  expect(refused).toHaveLength(1);
  known.delete('web');
  releases.lookAgain();
  expect(hosts()).toEqual(['second web']);
});

test('a spec that is refused later leaves the last one in force, with all else as it is now', () => {
  releases.applied(release('web'));
  releases.applied(invalid('web', { generation: 2, annotations: { 'perch.dev/request': '{"id":"1","action":"rollback","by":"ada"}' } }));
  expect([hosts(), refused, known.get('web')?.generation, known.get('web')?.request?.action]).toEqual([
    ['web web'],
    ['web PERCH1101'],
    1,
    'rollback',
  ]);
  releases.applied(release('web', { revision: 2 }, { generation: 3 }));
  expect([known.get('web')?.generation, known.get('web')?.base.spec]).toEqual([3, expect.objectContaining({ revision: 2 })]);
});

test('who leaves is let go, refused or not, if its spec can be read', () => {
  const deletionTimestamp = '2026-11-29T10:00:00Z';
  releases.applied(release('web'));
  releases.applied(release('second', of('web'), { deletionTimestamp }));
  releases.applied(invalid('odd', { deletionTimestamp }));
  expect(hosts()).toEqual(['web web', 'second web']);
});

test('of a list those that are woven in come first, then the older ones', () => {
  releases.replaced([
    release('young', of('web'), { creationTimestamp: '2026-11-29T12:00:00Z' }),
    release('old', of('web'), { creationTimestamp: '2026-11-29T10:00:00Z' }),
    release('held', of('web'), { creationTimestamp: '2026-11-29T11:00:00Z', finalizers: [FINALIZER] }),
  ]);
  expect([hosts(), refused]).toEqual([['held web'], ['old PERCH3050 new', 'young PERCH3050 new']]);
});

test('of a list those that get in the way of what is refused for another reason only are admitted', () => {
  const taken: ApiObject = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'taken', namespace: 'default' },
    spec: { hosts: ['other.test'], http: [{ route: [{ destination: { host: 'other' } }] }] },
  };
  known.set('taken', storedObject(taken, undefined, 1));
  const http = [{ route: [{ destination: { host: 'web' } }] }];
  const managed = { route: { managed: { name: 'taken', hosts: ['a.test'], http } }, ...of('web') };
  releases.replaced([
    release('first', managed, { creationTimestamp: '2026-11-29T10:00:00Z' }),
    release('web', {}, { creationTimestamp: '2026-11-29T11:00:00Z' }),
    release('late', of('web'), { creationTimestamp: '2026-11-29T12:00:00Z' }),
  ]);
  expect([hosts(), refused]).toEqual([['web web'], ['first PERCH3052 new', 'late PERCH3050 new']]);
});

test('all are told again to who begins to lead, but those that were deleted', () => {
  releases.applied(invalid('odd'));
  releases.applied(invalid('gone'));
  releases.deleted(invalid('gone'));
  releases.tellAgain();
  expect(refused).toEqual(['odd PERCH1101 new', 'gone PERCH1101 new', 'odd PERCH1101 new']);
});
