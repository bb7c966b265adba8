import { expect, test } from 'vitest';
import { readHeaderLines } from './header-lines.ts';
import { proposeTrial } from './trial-proposal.ts';

test('headers are read as one types them', () => {
  expect(readHeaderLines('Accept: text/html\n\n x-team :  a:b \nempty:')).toEqual({
    ok: true,
    headers: [
      ['Accept', 'text/html'],
      ['x-team', 'a:b'],
      ['empty', ''],
    ],
  });
  expect(readHeaderLines('Accept: a\nno header')).toEqual({ ok: false, line: 'no header' });
});

const GATEWAY = {
  kind: 'Gateway',
  metadata: { name: 'edge', namespace: 'default' },
  spec: { servers: [{ port: { number: 8080, protocol: 'HTTP' } }] },
};
const shop = (hosts: readonly string[], gateways?: readonly string[]) => ({
  kind: 'VirtualService',
  metadata: { name: 'shop', namespace: 'default' },
  spec: { hosts, ...(gateways === undefined ? {} : { gateways }), http: [{ match: [{ uri: { prefix: '/cart' } }] }] },
});
const SERVICE = { host: 'reviews', port: 9080 };

test('a request to begin with comes in where the release is woven in at a gateway', () => {
  const propose = (virtualService: ReturnType<typeof shop>) => proposeTrial([GATEWAY, virtualService], ['default/shop'], SERVICE);
  expect(propose(shop(['*'], ['edge']))).toEqual({ listener: 'ingress', url: 'http://localhost:8080/cart' });
  expect(propose(shop(['*.test', 'shop.test'], ['mesh', 'edge']))).toEqual({ listener: 'ingress', url: 'http://shop.test:8080/cart' });
  // Bound to the mesh alone.
  expect(propose(shop(['reviews']))).toEqual({ listener: 'mesh', url: 'http://reviews:9080/' });
  expect(proposeTrial([], [], { host: 'reviews' })).toEqual({ listener: 'mesh', url: 'http://reviews/' });
});
