import { expect, test } from 'vitest';
import { compileYaml, selectAt, summaryOf } from '../../../test/harness/routes.ts';
import { serverForName, tlsServerOf } from './tls-server.ts';

const SIMPLE = { mode: 'SIMPLE', credentialName: 'c' };

/** Which server of those (each its hosts) gets a client that asks for `name`. */
function chosen(servers: readonly (readonly string[])[], name: string | undefined): number {
  const specs = servers.map((hosts, index) => tlsServerOf(String(index), hosts, SIMPLE));
  const found = serverForName(specs, name);
  return found === undefined ? -1 : specs.indexOf(found);
}

test.each<readonly [name: string | undefined, chosen: number]>([
  ['a.test', 0],
  ['b.test', 1],
  ['x.b.test', 2],
  ['y.x.b.test', 3],
  ['c.test', -1],
  ['test', -1],
  [undefined, -1],
])('of several servers %s gets number %s', (name, expected) => {
  const servers = [['a.test'], ['other/B.test'], ['*.b.test', './d.test'], ['*.x.b.test']];
  expect(chosen(servers, name)).toBe(expected);
  // Nobody gets the one for all whom another one serves; all others do.
  expect(chosen([['*'], ...servers], name)).toBe(expected + 1);
  expect(chosen([...servers, ['*']], name)).toBe(expected < 0 ? servers.length : expected);
});

test('the longest wildcard is chosen whatever the order', () => {
  expect(chosen([['*.test'], ['*.b.test']], 'x.b.test')).toBe(1);
  expect(chosen([['*.b.test'], ['*.test']], 'x.b.test')).toBe(0);
});

const ROUTES = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web}
spec:
  hosts: ['*']
  gateways: [edge]
  http: [{match: [{uri: {prefix: /away}}], redirect: {authority: b.test, derivePort: FROM_REQUEST_PORT}}, {directResponse: {status: 200, body: {string: hi}}}]
`;

function edge(...servers: readonly string[]): string {
  return `{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: edge}, spec: {servers: [${servers.join(', ')}]}}`;
}

test('each HTTPS server of a port has routes of its own', () => {
  const one = '{port: {number: 443, name: one, protocol: HTTPS}, hosts: [a.test], tls: {mode: SIMPLE, credentialName: one}}';
  const two = '{port: {number: 443, name: two, protocol: https}, hosts: ["*.b.test"], tls: {mode: MUTUAL, credentialName: two}}';
  const { table, diagnostics } = compileYaml(edge(one, two), ROUTES);
  expect(diagnostics).toEqual([]);
  expect(table.listeners).toHaveLength(1);
  const [{ tls = [] } = {}] = table.listeners as readonly [(typeof table.listeners)[number]];
  expect(tls.map(({ title, serverNames, mutual }) => ({ title, serverNames, mutual }))).toEqual([
    { title: 'Gateway default/edge, server one', serverNames: ['a.test'], mutual: false },
    { title: 'Gateway default/edge, server two', serverNames: ['*.b.test'], mutual: true },
  ]);
  const at = (server: number | undefined, url: string): string =>
    summaryOf(selectAt(table, 'ingress 443', { line: `GET ${url}`, tlsServer: server === undefined ? undefined : tls[server]?.id }));
  expect(at(0, 'https://a.test/')).toBe('200 hi');
  expect(at(1, 'https://x.b.test/')).toBe('200 hi');
  expect(at(0, 'https://x.b.test/')).toBe('none');
  expect(at(1, 'https://a.test/')).toBe('none');
  expect(at(undefined, 'https://a.test/')).toBe('none');
  // The port of HTTPS is left out, as 80 is without TLS.
  expect(at(0, 'https://a.test/away')).toBe('301 https://b.test/away');
});

test('a connection of a server that has changed since has its routes, unless other clients may come', () => {
  const server = (name: string, hosts: string, more: string): string =>
    `{port: {number: 443, name: ${name}, protocol: HTTPS}, hosts: [${hosts}], tls: {credentialName: c, ${more}}}`;
  const compiled = (...servers: readonly string[]) => compileYaml(edge(...servers), ROUTES).table;
  const made = compiled(server('one', 'a.test', 'mode: SIMPLE')).listeners[0]?.tls?.[0]?.id;
  const now = (...servers: readonly string[]): string =>
    summaryOf(selectAt(compiled(...servers), 'ingress 443', { line: 'GET https://a.test/', tlsServer: made }));
  expect(now(server('one', 'a.test', 'mode: SIMPLE'))).toBe('200 hi');
  expect(now(server('one', 'a.test, b.test', 'mode: SIMPLE, minProtocolVersion: TLSV1_3'))).toBe('200 hi');
  expect(now(server('one', 'b.test', 'mode: SIMPLE'), server('two', 'a.test', 'mode: SIMPLE'))).toBe('none');
  expect(now(server('one', 'a.test', 'mode: MUTUAL'))).toBe('none');
  expect(now(server('two', 'a.test', 'mode: SIMPLE'))).toBe('none');
});

test('of servers that cannot share a port the older one is served, and it is said (PERCH1135)', () => {
  const plain = '{port: {number: 443, name: plain, protocol: HTTP}, hosts: ["*"]}';
  const https = '{port: {number: 443, name: https, protocol: HTTPS}, hosts: [a.test, b.test], tls: {mode: SIMPLE, credentialName: c}}';
  const again = '{port: {number: 443, name: again, protocol: HTTPS}, hosts: [c.test, x/B.test], tls: {mode: SIMPLE, credentialName: d}}';
  const messages = (...servers: readonly string[]): readonly string[] =>
    compileYaml(edge(...servers), ROUTES).diagnostics.map(({ code, message }) => `${code} ${message}`);
  expect(messages(plain, https)).toEqual([
    'PERCH1135 server https is not served: the older server plain of Gateway default/edge has port 443, and only one of them has TLS',
  ]);
  expect(messages(https, plain)).toHaveLength(1);
  expect(messages(https, again)).toEqual([
    'PERCH1135 server again is not served: the older server https of Gateway default/edge has the host b.test at port 443',
  ]);
  const { table } = compileYaml(edge(https, again, plain), ROUTES);
  expect(table.listeners[0]?.tls?.map(({ title }) => title)).toEqual(['Gateway default/edge, server https']);
});

test('httpsRedirect: nothing but a redirect to https, for hosts with routes and without', () => {
  const redirecting = '{port: {number: 80, name: a, protocol: HTTP}, hosts: ["*.b.test", ns/c.test], tls: {httpsRedirect: true}}';
  const serving = '{port: {number: 80, name: b, protocol: HTTP}, hosts: [d.test]}';
  const { table } = compileYaml(edge(redirecting, serving), ROUTES.replace("['*']", '[x.b.test, d.test]'));
  const at = (url: string): string => summaryOf(selectAt(table, 'ingress 80', `GET ${url}`));
  expect(at('http://x.b.test/away?q=1')).toBe('301 https://x.b.test/away?q=1');
  expect(at('http://other.b.test:8080/')).toBe('301 https://other.b.test:8080/');
  expect(at('http://c.test/')).toBe('301 https://c.test/');
  expect(at('http://d.test/')).toBe('200 hi');
  expect(at('http://e.test/')).toBe('none');
});
