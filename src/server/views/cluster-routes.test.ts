import { expect, test } from 'vitest';
import type { StoredObject } from '../../cluster/store.ts';
import { ClusterRoutes } from './cluster-routes.ts';

function stored(kind: string, name: string, spec: object): StoredObject {
  const object = { apiVersion: 'networking.istio.io/v1', kind, metadata: { name, namespace: 'shop' }, spec };
  return { ref: { kind, namespace: 'shop', name }, base: object, served: object, generation: 1, revision: 1, createdAt: '' };
}

const edge = stored('Gateway', 'edge', { servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }] });
const rules = (name: string, count: number) =>
  stored('VirtualService', name, {
    hosts: [`${name}.test`],
    gateways: ['edge'],
    http: Array.from({ length: count }, (_, at) => ({ match: [{ uri: { prefix: `/${at}` } }], route: [{ destination: { host: name } }] })),
  });

test('what changed is seen, and nothing that another caller may not see', () => {
  const routes = new ClusterRoutes();
  const hostsOf = (objects: readonly StoredObject[]): readonly string[] => {
    const head = (authority: string) => ({ method: 'GET', path: '/0', authority, scheme: 'http', lines: () => [] }) as const;
    const { table } = routes.of(objects, '', 80);
    return ['a.test', 'b.test'].filter((host) => table.select('ingress', 80, undefined, head(host), 0).kind === 'forward');
  };
  const [a, b] = [rules('a', 3), rules('b', 3)];
  expect(hostsOf([edge, a])).toEqual(['a.test']);
  expect(hostsOf([edge, a, b])).toEqual(['a.test', 'b.test']);
  expect(hostsOf([edge, b])).toEqual(['b.test']);
  expect(hostsOf([a, b])).toEqual([]);
});

test('of the same routes nothing is compiled again: a trial does not hold up the controller', () => {
  const objects = [edge, ...Array.from({ length: 200 }, (_, at) => rules(`s${at}`, 10))];
  const routes = new ClusterRoutes();
  const timed = (): number => {
    const start = performance.now();
    routes.of(objects, '', 80);
    return performance.now() - start;
  };
  const first = timed();
  const later = Math.min(timed(), timed(), timed(), timed());
  expect(later).toBeLessThan(first / 4);
});
