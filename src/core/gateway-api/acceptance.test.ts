import { expect, test } from 'vitest';
import type { KubeObject } from '../istio/resources.ts';
import { acceptanceFindings, acceptanceOf } from './acceptance.ts';

const said = (controllerName: string, status: string, message?: string) => ({
  parentRef: { name: 'edge' },
  controllerName,
  conditions: [
    {
      type: 'Accepted',
      status,
      ...(message === undefined ? {} : { message }),
      lastTransitionTime: '2026-11-29T00:00:00Z',
      observedGeneration: 3,
    },
    { type: 'ResolvedRefs', status: 'True' },
  ],
});
const route = (...parents: readonly object[]): KubeObject => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name: 'web', namespace: 'default' },
  status: { parents },
});
const ISTIO = 'istio.io/gateway-controller';
const messages = (object: KubeObject) => acceptanceFindings(object).map(({ message }) => message);

test('a route that a gateway of Istio takes is served', () => {
  expect(messages(route(said(ISTIO, 'True')))).toEqual([]);
  expect(messages(route(said(ISTIO, 'False'), said(ISTIO, 'True')))).toEqual([]);
});

test('one that nobody takes is not, and why is said where anybody says it', () => {
  expect(messages(route())).toEqual(['HTTPRoute default/web is not served: no gateway has taken it yet']);
  expect(messages({ ...route(), status: acceptanceOf({ ...route(), status: undefined }) })).toHaveLength(1);
  expect(messages({ ...route(), status: undefined }), 'nothing is known').toEqual([]);
  expect(messages(route(said(ISTIO, 'False', 'no listener matches')))).toEqual([
    'HTTPRoute default/web is not served: no listener matches',
  ]);
});

test('nor one that others serve, too', () => {
  const found = messages(route(said(ISTIO, 'True'), said('example.net/one', 'True'), said('example.net/one', 'False')));
  expect(found).toEqual([`HTTPRoute default/web is served by example.net/one: visitor ids can be issued by ${ISTIO} only`]);
});

test('of its status nothing else is kept: that changes with every write', () => {
  expect(acceptanceOf(route(said(ISTIO, 'True', 'valid')))).toEqual({
    parents: [{ parentRef: { name: 'edge' }, controllerName: ISTIO, conditions: [{ type: 'Accepted', status: 'True', message: 'valid' }] }],
  });
  expect(acceptanceOf({ ...route(), status: undefined })).toEqual({ parents: [] });
});
