import type { HTTPRoute, VirtualService, VirtualServiceSpec } from '../../src/core/istio/resources.ts';
import { SERVICE_PORT } from './shop-objects.ts';

/** The user's routes before any release is woven in, and what to ask of them. */

const port = { number: SERVICE_PORT };

/** A VirtualService in namespace `default`. */
export function virtualService(name: string, spec: VirtualServiceSpec): VirtualService {
  return { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata: { name, namespace: 'default' }, spec };
}

/** Rules that lead to the shop in every way that a match and a route can be written, and some beside them that no release concerns. */
export const SHOP_RULES: readonly HTTPRoute[] = [
  {
    name: 'pinned',
    match: [{ uri: { prefix: '/shop' }, headers: { 'end-user': { exact: 'jason' } } }],
    route: [{ destination: { host: 'shop', subset: 'v3', port } }],
  },
  {
    name: 'cart',
    match: [{ uri: { exact: '/cart' } }, { uri: { prefix: '/Basket' }, ignoreUriCase: true, method: { exact: 'GET' } }],
    rewrite: { uri: '/v1/cart', authority: 'inner.test' },
    headers: {
      request: { set: { 'x-base': 'route' }, add: { 'x-way': 'cart' }, remove: ['x-internal'] },
      response: { add: { 'Set-Cookie': 'route=1; Path=/', 'x-added': '50%%' }, remove: ['x-upstream'] },
    },
    route: [
      {
        destination: { host: 'shop', subset: 'v1', port },
        headers: {
          request: { add: { 'x-base': 'destination %REQ(x-request-id)%' } },
          response: { add: { 'cache-control': 'no-transform' }, set: { 'x-host': '%REQ(:authority)%' } },
        },
      },
    ],
  },
  {
    name: 'item',
    match: [{ uri: { regex: '/items/[0-9]+(/.*)?' }, queryParams: { color: { exact: 'red' } } }],
    rewrite: { uriRegexRewrite: { match: '^/items/([0-9]+)', rewrite: '/i\\1' } },
    headers: { response: { set: { 'Cache-Control': 'no-store' } } },
    route: [{ destination: { host: 'shop', subset: 'v1', port } }],
  },
  {
    name: 'shop',
    match: [{ uri: { prefix: '/shop' }, withoutHeaders: { 'x-internal': { exact: '1' } } }],
    timeout: '15s',
    route: [{ destination: { host: 'shop', port } }],
  },
  {
    name: 'moved',
    match: [{ uri: { prefix: '/old' } }],
    redirect: { uri: '/shop', redirectCode: 302 },
    headers: { response: { add: { 'x-was': 'old' } } },
  },
  { name: 'health', match: [{ uri: { exact: '/healthz' } }], directResponse: { status: 200, body: { string: 'ok' } } },
  {
    name: 'json',
    match: [{ uri: { prefix: '/other' }, headers: { accept: { exact: 'application/json' } } }],
    route: [{ destination: { host: 'page', port } }],
  },
  { name: 'other', match: [{ uri: { prefix: '/other' } }], route: [{ destination: { host: 'other', port } }] },
];

/** The rules without what keeps a rule from being drawn: operations of a destination, other destinations, a header that the rule sets anew. */
export function drawable(rules: readonly HTTPRoute[]): readonly HTTPRoute[] {
  return rules.map((rule): HTTPRoute => {
    const { headers, route, ...rest } = rule;
    const { set: _, ...response } = headers?.response ?? {};
    return {
      ...rest,
      ...(headers === undefined ? {} : { headers: { ...headers, response } }),
      ...(route === undefined ? {} : { route: route.slice(0, 1).map(({ destination }) => ({ destination })) }),
    };
  });
}

/** A root VirtualService's rules that lead to the release's delegate, and one of its own. */
export const DELEGATING_RULES: readonly HTTPRoute[] = [
  { name: 'other', match: [{ uri: { prefix: '/other' } }], route: [{ destination: { host: 'other', port } }] },
  {
    name: 'root',
    match: [
      { uri: { prefix: '/shop' }, headers: { 'x-base': { prefix: 'a' } } },
      { uri: { prefix: '/shop' } },
      { uri: { prefix: '/cart' } },
    ],
    headers: { response: { add: { 'x-root': 'yes' } }, request: { add: { 'x-way': 'root' } } },
    timeout: '15s',
    delegate: { name: 'shop-perch' },
  },
  { match: [{ uri: { exact: '/basket' }, method: { exact: 'GET' } }], rewrite: { uri: '/v1/basket' }, delegate: { name: 'shop-perch' } },
  { name: 'side', match: [{ uri: { prefix: '/side' } }], redirect: { uri: '/shop' } },
];

/** Rules of a delegate: narrower than their roots, without a match, and one that no root lets through. */
export const DELEGATED_RULES: readonly HTTPRoute[] = [
  {
    name: 'pinned',
    match: [{ uri: { prefix: '/shop' }, headers: { 'end-user': { exact: 'jason' } } }],
    route: [{ destination: { host: 'shop', subset: 'v3', port } }],
  },
  {
    name: 'cart',
    match: [{ uri: { exact: '/cart' } }, { uri: { prefix: '/shop/early' }, method: { exact: 'GET' } }],
    rewrite: { uri: '/v1/cart', authority: 'inner.test' },
    headers: { response: { add: { 'x-added': '50%%' }, remove: ['x-upstream'] } },
    route: [{ destination: { host: 'shop', subset: 'v1', port }, headers: { response: { set: { 'x-host': '%REQ(:authority)%' } } } }],
  },
  {
    name: 'never',
    match: [{ uri: { regex: '/items/.*' } }],
    route: [{ destination: { host: 'shop', subset: 'v1', port } }],
  },
  { name: 'rest', route: [{ destination: { host: 'shop', subset: 'v1', port } }] },
];

/** The same inside: a root that takes everything, and what its delegate makes of it. */
export const INSIDE_DELEGATING_RULES: readonly HTTPRoute[] = [
  { name: 'stock', match: [{ uri: { prefix: '/stock' } }], rewrite: { uri: '/v1/stock' }, delegate: { name: 'shop-perch' } },
  { name: 'inside', delegate: { name: 'shop-perch' } },
];
/** The rules of that delegate; `jason` is sent to v3, which no release moves. */
export const INSIDE_DELEGATED_RULES: readonly HTTPRoute[] = [
  { name: 'one', match: [{ headers: { 'end-user': { exact: 'jason' } } }], route: [{ destination: { host: 'shop', subset: 'v3', port } }] },
  { name: 'all', route: [{ destination: { host: 'shop', subset: 'v1', port } }] },
];

/** Paths that `SHOP_RULES` and the siblings know. */
export const SHOP_PATHS = [
  ...[
    '/shop',
    '/shop',
    '/shop/early',
    '/shopping',
    '/cart',
    '/cart',
    '/basket',
    '/Basket/1',
    '/items/12?color=red',
    '/items/12?color=red',
    '/items/12?color=red',
    '/items/x',
  ],
  ...['/old', '/healthz', '/other', '/other', '/side'],
];

/** Paths that `DELEGATING_RULES` and `DELEGATED_RULES` know. */
export const DELEGATED_PATHS = ['/shop', '/shop', '/shop/early', '/cart', '/basket', '/basket', '/items/12', '/other', '/side'];

/** Hosts of the shop at the edge, as its VirtualServices name them. */
export const SHOP_HOSTS = ['shop.test', '*.shop.test'];

/** Hosts as clients write them: the shop's, with ports, and others. */
export const ASKED_HOSTS = [
  ...['shop.test', 'shop.test', 'shop.test', 'shop.test:80', 'shop.test:8443', 'SHOP.test', 'www.shop.test', 'a.b.shop.test:80'],
  ...['xshop.test', 'nobody.test', '127.0.0.1:8080', '[::1]:80', 'shop.test.', '.shop.test', 'shop..test', '*.shop.test', 'shop.test:080'],
];

/** Others' routes at the same gateway: on the shop's hosts, created before and after the release's, with rules that take everything. */
export const SIBLINGS: readonly VirtualService[] = [
  virtualService('aside', {
    hosts: ['shop.test'],
    gateways: ['edge'],
    http: [
      { name: 'early', match: [{ uri: { prefix: '/shop/early' } }], route: [{ destination: { host: 'other', port } }] },
      { name: 'all', match: [{ uri: { prefix: '/' } }], route: [{ destination: { host: 'page', port } }] },
    ],
  }),
  virtualService('zone', {
    hosts: ['*.shop.test', 'shop.test'],
    gateways: ['edge'],
    http: [
      {
        name: 'side',
        match: [{ uri: { prefix: '/side' } }, { uri: { prefix: '/shop' } }],
        route: [{ destination: { host: 'other', port } }],
      },
      { name: 'zone all', route: [{ destination: { host: 'other', port } }] },
    ],
  }),
  virtualService('zz', {
    hosts: ['*'],
    gateways: ['edge'],
    http: [{ name: 'elsewhere', match: [{ uri: { prefix: '/shop' } }], route: [{ destination: { host: 'page', port } }] }],
  }),
];

/** The page at the edge that asks the shop from inside; its second destination has no weight, so nothing is drawn. */
export const PAGE_RULES: readonly HTTPRoute[] = [
  {
    name: 'page',
    match: [{ uri: { prefix: '/page' } }, { uri: { exact: '/' } }],
    headers: { response: { add: { 'x-level': 'route' } } },
    route: [
      {
        destination: { host: 'page', port },
        weight: 100,
        headers: {
          request: { add: { baggage: 'app=1' } },
          response: { add: { 'x-level': 'destination', 'Cache-Control': 'no-transform' } },
        },
      },
      { destination: { host: 'other', port }, weight: 0, headers: { response: { add: { 'x-level': 'never' } } } },
    ],
  },
  { name: 'assets', match: [{ uri: { prefix: '/assets' } }], route: [{ destination: { host: 'page', port } }] },
];

/** Paths that `PAGE_RULES` know. */
export const PAGE_PATHS = ['/page', '/page', '/page/1', '/', '/assets', '/other'];

/** What callers inside reach the shop by; the last rule takes everything. */
export const INSIDE_RULES: readonly HTTPRoute[] = [
  {
    name: 'stock',
    match: [{ uri: { prefix: '/stock' }, method: { exact: 'GET' } }],
    rewrite: { uri: '/v1/stock' },
    route: [{ destination: { host: 'shop', subset: 'v1', port } }],
  },
  { name: 'inside', route: [{ destination: { host: 'shop', subset: 'v1', port } }] },
];

/** Paths that `INSIDE_RULES` know. */
export const INSIDE_PATHS = ['/stock', '/stock/1', '/reviews/0', '/'];

/** Hosts as callers inside write them. */
export const INSIDE_HOSTS = [
  ...['shop', 'shop', 'shop:8080', 'shop.default', 'shop.default.svc.cluster.local', 'SHOP:8080', 'shop.default.svc.cluster.local.:8080'],
  ...['other', 'nobody', 'shop.test'],
];
