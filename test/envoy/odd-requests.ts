import fc from 'fast-check';
import { BARE } from './echo-origin.ts';

/** A request as it is sent: header lines in order, Host and x-request-id among them. */
export interface OddRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** What requests are drawn around. */
export interface OddRequestFacts {
  readonly paths: readonly string[];
  readonly hosts: readonly string[];
  /** Ids are drawn around it. */
  readonly cutoff: number;
  /** Name of the cookie with the visitor id. */
  readonly cookie: string;
  /** Other cookies that decide, such as canaryOnly's, whole: `name=value`. */
  readonly decisiveCookies: readonly string[];
  readonly baggageKey: string;
  /** Requests carry the number by which `DRAW_HEADER` decides. */
  readonly draws: boolean;
}

/** A whole number, by which destinations are drawn where a suite wants to foretell the draw. */
export const DRAW_HEADER = 'x-draw';

type Lines = OddRequest['headers'];

const hex = (length: number) => fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
/** Ids whose draws are around the cutoff, at its ends, or anywhere. */
function ids(cutoff: number): fc.Arbitrary<string> {
  const around = [0, cutoff - 1, cutoff, 4095].map((bucket) => Math.min(Math.max(bucket, 0), 4095).toString(16).padStart(3, '0'));
  const lastGroup = fc
    .array(fc.oneof(hex(3), fc.constantFrom(...around)), { minLength: 4, maxLength: 4 })
    .map((triples) => triples.join(''));
  return fc.tuple(hex(8), hex(4), lastGroup).map(([first, second, last]) => `${first}-${second}-4abc-8def-${last}`);
}

/** What looks like an id and is none, or one that only some parsers would take; ids of other proxies among them. */
function oddIds(id: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.oneof(
    id.map((text) => text.toUpperCase()),
    id.map((text) => text.slice(0, -1)),
    id.map((text) => `${text}0`),
    id.map((text) => text.replaceAll('-', '')),
    id.map((text) => text.slice(-13)),
    id.map((text) => `"${text}"`),
    id.map((text) => `${text} x`),
    id.map((text) => `${text};a=1`),
    id.map((text) => `${text}%`),
    fc.constantFrom('-', 'x', '--000000000000', 'g-000000000000', '000000000000', '%REQ(cookie)%', 'x; Domain=evil.test; x-000000000000'),
  );
}

function cookieLine({ cookie, decisiveCookies }: OddRequestFacts, someId: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const decisive = decisiveCookies.flatMap((text) => [
    text,
    `x${text}`,
    `${text}x`,
    text.toLowerCase(),
    text.replace('=', ' ='),
    `"${text}"`,
  ]);
  const pair = fc.oneof(
    { weight: 3, arbitrary: someId.map((value) => `${cookie}=${value}`) },
    someId.map((value) => `x${cookie}=${value}`),
    someId.map((value) => `${cookie.toUpperCase()}=${value}`),
    someId.map((value) => `${cookie} =${value}`),
    someId.map((value) => `$${cookie}=${value}`),
    fc.constantFrom('theme=dark', cookie, `${cookie}=`, 'a=b=c', 'q="x; y"', 'é=ü', '', 'x'.repeat(1000)),
    ...(decisive.length === 0 ? [] : [{ weight: 3, arbitrary: fc.constantFrom(...decisiveCookies, ...decisive) }]),
  );
  return fc
    .tuple(fc.array(pair, { minLength: 1, maxLength: 4 }), fc.constantFrom('; ', '; ', ';', ';  ', ',', ' ; ', ';\t', '&', '; \xff=\x80; '))
    .map(([pairs, separator]) => pairs.map((text) => Buffer.from(text).toString('latin1')).join(separator));
}

function baggageLine(key: string): fc.Arbitrary<string> {
  const member = fc
    .tuple(
      fc.constantFrom(key, key, key, `x${key}`, key.replace('.', '-'), key.replace('.', '%2E'), key.toUpperCase(), 'app', ''),
      fc.constantFrom(
        ...['=canary', '=stable', '=canaryx', '= canary', ' =canary', '=canary;p=1', '=canary;', '=stable ; p', '=stable\t;p', '=stable x'],
        ...['=Canary', '="canary"', '=%63anary', '=canary%20', '=canary\xe9', '=', ''],
      ),
    )
    .map((parts) => parts.join(''));
  return fc
    .tuple(fc.array(member, { minLength: 1, maxLength: 3 }), fc.constantFrom(',', ', ', ' ,', ',  ', ',\t', ',,', ';'))
    .map(([members, separator]) => members.join(separator));
}

/** Up to `most` lines of a header; half of the requests that may do without have none. */
function lines(name: string, value: fc.Arbitrary<string>, most: number): fc.Arbitrary<Lines> {
  const line = value.map((text) => [name, text] as const);
  return fc.oneof(fc.constant([]), fc.array(line, { minLength: 1, maxLength: most }));
}

function requestPath(paths: readonly string[]): fc.Arbitrary<string> {
  const plain = fc.constantFrom(...paths);
  const changed = fc
    .tuple(
      plain,
      fc.constantFrom(
        '/',
        '/1',
        'x',
        '/a/../b',
        '/./c',
        '/%41%2f',
        '/%7e',
        '//d',
        '/e|f',
        '/caf%C3%A9',
        '/%',
        '/%252e',
        '/%zz',
        '/\\..',
        '/;a',
        '/{"}',
        '/..',
      ),
    )
    .map(([path, more]) => path + more);
  const odd = fc.oneof(
    plain.map((path) => path.toUpperCase()),
    plain.map((path) => path.replace(/^\/(.)/, (_, first: string) => `/%${first.charCodeAt(0).toString(16)}`)),
    plain.map((path) => `/none/..${path}`),
    plain.map((path) => `/${path}`),
    plain.map((path) => path.slice(0, -1) || '/'),
    plain.map((path) => path.replace('/', '/%2e/')),
    plain.map((path) => path.replace('/', '/\\')),
    plain.map((path) => `http://shop.test${path}`),
    fc.constantFrom('/', '/nowhere', '/none?x=/shop', '/..'),
  );
  const query = fc.constantFrom(
    '',
    '',
    '?',
    '?b=c',
    `?${BARE}`,
    '?color=red',
    '?color=red&color=blue',
    '?color=%72ed',
    '?x=/shop&color',
    '?a?b',
    '?%63olor=red',
    '?Color=red&&color=red;x',
    '?x=/../shop&color=red',
    '?\\"<>`{|}%zz',
  );
  return fc
    .tuple(fc.oneof({ weight: 4, arbitrary: plain }, { weight: 2, arbitrary: changed }, odd), query)
    .map(([path, more]) => (path.includes('?') ? path : path + more));
}

const METHODS = ['GET', 'GET', 'GET', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'] as const;
const ACCEPTED = [
  'text/html',
  'text/html,*/*;q=0.8',
  'text/html;q=0',
  'text/*',
  '',
  'application/xml, text/html',
  '*/*',
  'TEXT/HTML',
  'image/png',
  'application/json',
] as const;

/** Ordinary and odd requests, the same ones in every run with this seed. */
export function oddRequests(facts: OddRequestFacts, count: number, seed: number): readonly OddRequest[] {
  const id = ids(facts.cutoff);
  const someId = fc.oneof({ weight: 3, arbitrary: id }, { weight: 1, arbitrary: oddIds(id) });
  const headers = fc
    .tuple(
      fc.constantFrom(...facts.hosts).map((host): Lines => [['host', host]]),
      // Always one: without it Envoy draws one, and nobody could foretell the route.
      fc
        .oneof({ weight: 9, arbitrary: fc.tuple(someId) }, fc.tuple(id, id))
        .map((values): Lines => values.map((value) => ['x-request-id', value])),
      facts.draws ? fc.nat({ max: 99_999 }).map((draw): Lines => [[DRAW_HEADER, String(draw)]]) : fc.constant<Lines>([]),
      lines('cookie', cookieLine(facts, someId), 2),
      lines('baggage', baggageLine(facts.baggageKey), 2),
      lines('accept', fc.constantFrom(...ACCEPTED), 3),
      lines('sec-fetch-mode', fc.constantFrom('navigate', 'no-cors', 'Navigate', 'cors', '', ' navigate ', 'navigate,cors'), 2),
      fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, lines('end-user', fc.constantFrom('jason', 'Jason', 'anna'), 2)),
      fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, lines('x-internal', fc.constantFrom('1', '0', ''), 1)),
      fc.oneof({ weight: 9, arbitrary: fc.constant([]) }, lines('x-forwarded-client-cert', fc.constant('Subject="CN=admin"'), 2)),
      fc.oneof({ weight: 9, arbitrary: fc.constant([]) }, lines('x-forwarded-proto', fc.constantFrom('https', 'HTTPS', 'http', 'ftp'), 2)),
      fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, lines('x-base', fc.constantFrom('client', 'a, b'), 2)),
    )
    .map((groups) => groups.flat());
  const request = fc
    .record({ method: fc.constantFrom(...METHODS), path: requestPath(facts.paths), headers })
    .map((each): OddRequest => ({ ...each, body: each.method.startsWith('P') ? 'a=1' : '' }));
  return fc.sample(request, { numRuns: count, seed });
}
