import { expect, test } from 'vitest';
import type { KubeObject } from '../istio/resources.ts';
import { findSharing, hostsAtGateways, isServedOverTls } from './gateway-hosts.ts';
import { routeObject } from './route-object.ts';

function gateway(protocol: 'HTTP' | 'HTTPS', host = '*'): KubeObject {
  const servers = [{ port: { number: 80, name: 'web', protocol }, hosts: [host] }];
  return { apiVersion: 'networking.istio.io/v1', kind: 'Gateway', metadata: { name: 'edge', namespace: 'default' }, spec: { servers } };
}

function route(name: string) {
  const spec = { hosts: ['shop.test'], gateways: ['edge'], http: [{ route: [{ destination: { host: name } }] }] };
  const object = { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata: { name, namespace: 'default' }, spec };
  return routeObject(object, 'default');
}

test('what was found with some gateways is not taken for what others say', () => {
  const [web, other] = [route('web'), route('other')];
  const others = [web, other];
  const sharing = (gateways: readonly KubeObject[]) => findSharing(web, others, gateways).map((each) => each.other.name);
  expect(hostsAtGateways(web, [gateway('HTTP', 'pay.test')])).toEqual([]);
  expect(sharing([gateway('HTTP', 'pay.test')])).toEqual([]);
  expect(sharing([gateway('HTTPS')])).toEqual(['other']);
  expect(isServedOverTls(web, [gateway('HTTPS')])).toBe(true);
  expect(isServedOverTls(web, [gateway('HTTP')])).toBe(false);
  expect(
    hostsAtGateways(web, []).map(({ host, server }) => [host, server]),
    'a gateway that is not known',
  ).toEqual([['shop.test', undefined]]);
});
