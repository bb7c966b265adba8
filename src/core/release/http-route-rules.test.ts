import { expect, it } from 'vitest';
import { API_VERSION, KIND } from './canary-release.ts';
import { validateCanaryRelease } from './validate.ts';

const found = (changes: object): string[] => {
  const spec = {
    service: { host: 'web', port: 80 },
    canary: { host: 'web-v2' },
    stable: { host: 'web-v1' },
    route: { adopt: { httpRoute: 'web' } },
    steps: [{ weight: 100, hold: '1m' }],
    ...changes,
  };
  const object = { apiVersion: API_VERSION, kind: KIND, metadata: { name: 'web', namespace: 'default' }, spec };
  return validateCanaryRelease(object).diagnostics.map(({ code, path }) => `${code} ${path}`);
};

it('an HTTPRoute is adopted with Services as versions', () => {
  expect(found({})).toEqual([]);
  expect(found({ visitorId: { issueOn: 'all', cookie: { name: 'id' } }, cache: 'private', cohort: 2 })).toEqual([]);
  expect(found({ visitorId: { from: { header: 'x-tenant-id' } } })).toEqual([]);
});

it.each<[object, string]>([
  [{ canary: { subset: 'v2' } }, 'spec.canary.subset'],
  [{ stable: { subset: 'v1' } }, 'spec.stable.subset'],
  [{ affinity: { mode: 'canaryOnly' } }, 'spec.affinity.mode'],
  [{ visitorId: { issueAt: { virtualService: 'edge' } } }, 'spec.visitorId.issueAt.virtualService'],
  [{ visitorId: { propagate: ['baggage'] } }, 'spec.visitorId.propagate'],
  [{ optIn: {} }, 'spec.optIn'],
  [
    {
      steps: [
        { match: [{ headers: { 'x-team': { exact: 'qa' } } }], hold: '1m' },
        { weight: 100, hold: '1m' },
      ],
    },
    'spec.steps[0].match',
  ],
])('%j needs a VirtualService', (changes, path) => {
  expect(found(changes)).toEqual([`PERCH1216 ${path}`]);
  expect(found({ ...changes, route: { adopt: { virtualService: 'web' } } })).toEqual([]);
});

it('one of the mesh names the HTTPRoute where ids are issued; nothing else goes with that', () => {
  const inside = { visitorId: { issueAt: { httpRoute: 'edge' }, propagate: ['baggage', 'cookie', 'requestId'] } };
  expect(found(inside)).toEqual([]);
  expect(found({ ...inside, route: { adopt: { virtualService: 'web' } } })).toEqual(['PERCH1216 spec.visitorId.issueAt.httpRoute']);
  expect(found({ visitorId: { issueAt: { httpRoute: 'edge', virtualService: 'edge' } } })).not.toEqual([]);
});
