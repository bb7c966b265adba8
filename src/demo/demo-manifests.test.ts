import { expect, test } from 'vitest';
import type { KubeObject } from '../core/istio/resources.ts';
import { demoManifests } from './demo-manifests.ts';

const ENTRY: KubeObject = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'ServiceEntry',
  metadata: { name: 'reviews' },
  spec: {
    hosts: ['reviews'],
    ports: [{ number: 9080, name: 'http', protocol: 'HTTP' }],
    endpoints: [
      { address: '127.0.0.1', ports: { http: 19083 }, labels: { version: 'v1' } },
      { address: '127.0.0.1', ports: { http: 4000 } },
    ],
  },
};

const RELEASE: KubeObject = {
  apiVersion: 'perch.dev/v1alpha1',
  kind: 'CanaryRelease',
  metadata: { name: 'reviews' },
  spec: {
    steps: [
      { weight: 10, hold: '30s' },
      { weight: 50, hold: 'manual' },
      { weight: 100, hold: '30s' },
    ],
  },
};

test('endpoints go to where the workloads listen; ports that the demo does not know stay', () => {
  const [entry] = demoManifests([ENTRY], { ports: new Map([[19083, 40_001]]) });
  expect(entry).toMatchObject({
    spec: { endpoints: [{ ports: { http: 40_001 }, labels: { version: 'v1' } }, { ports: { http: 4000 } }], ports: [{ number: 9080 }] },
  });
});

test('--mode canaryOnly: the article’s cookie, and nothing that is about visitor ids', () => {
  const issuing = {
    ...RELEASE,
    spec: { ...(RELEASE.spec as object), visitorId: { issueAt: { virtualService: 'bookinfo' }, propagate: ['requestId'] } },
  };
  const [release] = demoManifests([issuing], { ports: new Map(), mode: 'canaryOnly' });
  expect(release).toMatchObject({ spec: { affinity: { mode: 'canaryOnly', cookie: { name: 'reviews-cookie', value: 'REVIRES-V2' } } } });
  expect(release).toHaveProperty('spec.visitorId', { issueAt: { virtualService: 'bookinfo' } });
});

test('--hold takes the place of timed holds; manual ones stay manual', () => {
  const [release] = demoManifests([RELEASE], { ports: new Map(), hold: '2m' });
  expect(release).toMatchObject({
    spec: {
      steps: [
        { weight: 10, hold: '2m' },
        { weight: 50, hold: 'manual' },
        { weight: 100, hold: '2m' },
      ],
    },
  });
});

test('without changes the objects are as in the files', () => {
  expect(demoManifests([ENTRY, RELEASE], { ports: new Map() })).toEqual([ENTRY, RELEASE]);
});
