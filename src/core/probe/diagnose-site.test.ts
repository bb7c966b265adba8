import { describe, expect, test } from 'vitest';
import { diagnoseSite } from './diagnose-site.ts';
import type { Answer, Observations } from './observations.ts';
import { answer, observed } from './simulated-site.cases.ts';

const UUID = (visitor: number): string => `0b5e2c0c-5a0e-4d5c-9b7e-${String(visitor).padStart(12, '0')}`;
const GUESS = { source: { by: 'guess' } } as const;
const LASTING = 'Path=/; Max-Age=34560000';

/** Forty visitors, every fourth on v2, each of whom is given this at first sight. */
function site(url: string, lines: (visitor: number, version: string) => readonly string[], more: Partial<Answer> = {}): Observations {
  let order = 0;
  const visitors = Array.from({ length: 40 }, (_, visitor) => {
    const version = visitor % 4 === 0 ? 'v2' : 'v1';
    const first = answer(order++, version, { ...more, setCookies: lines(visitor, version) });
    return [first, answer(order++, version), answer(order++, version)];
  });
  return observed({ url, visitors, requestsEach: 3 });
}

function findings(seen: Observations): readonly string[] {
  return diagnoseSite(seen, GUESS).findings.map(({ code, severity, message }) => `${severity} ${code} ${message}`);
}

const forEveryone = (attributes: string) => (visitor: number) => [`id=${UUID(visitor)}; ${attributes}`];

describe('cookies that are each visitor’s own', () => {
  test.each([
    ['http://shop.example/', LASTING, []],
    ['https://shop.example/', `${LASTING}; Secure; SameSite=None`, []],
    [
      'http://shop.example/',
      `${LASTING}; Secure`,
      ['error PERCH5010 it has Secure, and the page comes by HTTP: browsers drop it, so it pins nobody'],
    ],
    [
      'http://localhost:8080/',
      `${LASTING}; Secure`,
      ['warning PERCH5010 it has Secure, and the page comes by HTTP: only some browsers keep it, and only from this machine'],
    ],
    ['http://[::1]:8080/', LASTING, []],
    [
      'https://shop.example/',
      `${LASTING}; SameSite=None`,
      ['error PERCH5010 it has SameSite=None, and no Secure: browsers drop it, so it pins nobody'],
    ],
    [
      'https://shop.example/',
      `${LASTING}; Domain=other.example`,
      ["error PERCH5010 it has Domain=other.example, which is not the site's: browsers drop it, so it pins nobody"],
    ],
    [
      'https://shop.example/cart',
      'Path=/account; Max-Age=34560000',
      ['error PERCH5011 it has Path=/account, so it is never sent to /cart, the page that sets it'],
    ],
    [
      'https://shop.example/cart/',
      'Path=/cart; Max-Age=34560000',
      ['warning PERCH5011 it has Path=/cart: elsewhere on the site the visitor is unknown'],
    ],
    [
      'https://shop.example/cart/items?x=1',
      'Max-Age=34560000',
      ['warning PERCH5011 it has no Path, so it is for /cart and below: elsewhere on the site the visitor is unknown'],
    ],
    ['https://shop.example/', 'Max-Age=21600', ['warning PERCH5012 it ends after 6 h']],
    ['https://shop.example', 'Path=/', ['warning PERCH5012 it ends when the browser is closed: it has neither Max-Age nor Expires']],
    [
      'https://shop.example/',
      `${LASTING}; SameSite=Strict`,
      ['warning PERCH5013 it has SameSite=Strict, so a visitor who follows a link from elsewhere comes without it'],
    ],
  ])('at %s with %s', (url, attributes, expected) => {
    expect(findings(site(url, forEveryone(attributes)))).toEqual(expected);
  });

  test('by name: the prefixes ask for what browsers demand', () => {
    const seen = site('https://shop.example/', (visitor) => [`__Host-id=${UUID(visitor)}; Secure; Max-Age=34560000`]);
    expect(findings(seen)).toEqual([
      'error PERCH5010 it has a name that begins with __Host-, and not Path=/ without Domain: browsers drop it, so it pins nobody',
    ]);
  });

  test('a session’s cookie beside one that lasts is a note, no finding', () => {
    const seen = site('https://shop.example/', (visitor) => [
      `id=${UUID(visitor)}; ${LASTING}`,
      `session=${UUID(visitor + 1_000)}; Path=/`,
    ]);
    expect(diagnoseSite(seen, GUESS).findings).toMatchObject([{ code: 'PERCH5012', severity: 'info', object: 'cookie session' }]);
  });

  test('one that others get too is a leak; short values that collide are none', () => {
    expect(findings(site('https://shop.example/', (visitor) => [`id=${UUID(visitor < 5 ? 0 : visitor)}; ${LASTING}`]))).toEqual([
      'error PERCH5015 5 new visitors got the id …000000, and 40 new visitors 36 values in all',
    ]);
    expect(findings(site('https://shop.example/', (visitor) => [`n=${Math.floor((visitor * 37) / 2) % 29}; ${LASTING}`]))).toEqual([]);
  });
});

describe('cookies that are alike for many', () => {
  test('one value for all on one version pins an outcome', () => {
    const seen = site('https://shop.example/', (_, version) => (version === 'v2' ? [`canary=yes; ${LASTING}`] : []));
    expect(findings(seen)).toEqual([
      'warning PERCH5014 all 10 new visitors who got it, those on v2, got the same value yes: it pins the outcome, not the visitor',
    ]);
  });

  test('a value for each version too', () => {
    expect(findings(site('https://shop.example/', (_, version) => [`variant=${version}; ${LASTING}`]))).toEqual([
      'warning PERCH5014 40 new visitors got one of 2 values, and the value names the version: it pins the outcome, not the visitor',
    ]);
  });

  test('a server’s name that many share, on both versions, is neither', () => {
    const server = (visitor: number): string => ['a', 'b', 'c'][visitor % 3]?.repeat(8).concat('0123456789') ?? '';
    expect(findings(site('https://shop.example/', (visitor) => [`server=${server(visitor)}; Path=/`]))).toEqual([]);
  });

  test('but one UUID for all is a visitor’s id, given to the others too', () => {
    expect(findings(site('https://shop.example/', () => [`id=${UUID(7)}; ${LASTING}`]))).toEqual([
      'error PERCH5015 40 new visitors got the id …000007, and 40 new visitors 1 value in all',
    ]);
  });

  test('one value for all on both, such as a language, has nothing to do with it, whatever its attributes', () => {
    expect(findings(site('http://shop.example/', () => ['lang=en; Secure; SameSite=Strict']))).toEqual([]);
  });
});

describe('caches', () => {
  const withHeaders = (headers: Readonly<Record<string, string>>, lines: readonly string[] = []): Observations => {
    const all = new Map(Object.entries(headers));
    return observed({
      visitors: Array.from({ length: 20 }, (_, order) => [
        answer(order, undefined, { headers: new Map([...all, ['x-version', order % 3 === 0 ? 'v2' : 'v1']]), setCookies: lines }),
      ]),
    });
  };
  const codes = (seen: Observations): readonly string[] =>
    diagnoseSite(seen, GUESS).findings.flatMap(({ code }) => (code.startsWith('PERCH502') ? [code] : []));

  test.each([
    [{}, []],
    [{ 'cache-control': 'private, max-age=60' }, []],
    [{ 'cache-control': 'no-store' }, []],
    [{ 'cache-control': 'max-age=0' }, []],
    [{ 'cache-control': 'max-age=60' }, ['PERCH5021']],
    [{ 'cache-control': 'max-age=0, s-maxage=60' }, ['PERCH5021']],
    [{ 'cache-control': 'public' }, ['PERCH5021']],
    [{ 'cache-control': 'max-age=60', vary: 'Accept, Cookie' }, []],
    [{ expires: 'Sun, 29 Nov 2026 10:00:00 GMT', date: 'Sat, 28 Nov 2026 10:00:00 GMT' }, ['PERCH5021']],
    [{ age: '12' }, ['PERCH5022']],
    [{ 'x-cache': 'HIT from cache-1' }, ['PERCH5022']],
    [{ 'x-cache': 'MISS' }, []],
  ] as readonly (readonly [Readonly<Record<string, string>>, readonly string[]])[])('%o', (headers, expected) => {
    expect(codes(withHeaders(headers))).toEqual(expected);
  });

  test('an answer that sets a cookie', () => {
    expect(codes(withHeaders({ 'cache-control': 'max-age=60' }, ['lang=en']))).toEqual(['PERCH5020']);
    expect(codes(withHeaders({ 'cache-control': 'max-age=60, private' }, ['lang=en']))).toEqual([]);
  });
});

test('request ids that are no UUIDs cannot become visitor ids: a note', () => {
  const seen = site('https://shop.example/', forEveryone(LASTING), { headers: new Map([['x-request-id', 'f'.repeat(32)]]) });
  expect(diagnoseSite(seen, { source: { by: 'pattern', pattern: '' } }).requestIds).toMatchObject({ form: 'other', takesOver: undefined });
  expect(findings(seen)).toContain(
    `info PERCH5031 answers show request ids such as ${'f'.repeat(32)}, which do not end in a hyphen and 12 hex digits: they cannot become visitor ids`,
  );
});

test('pages of which parts come from another version', () => {
  const base = site('https://shop.example/', forEveryone(LASTING));
  const pages = [
    { document: answer(900, 'v2'), parts: [answer(901, 'v2'), answer(902, 'v1')] },
    { document: answer(903, 'v1'), parts: [answer(904, 'v1'), answer(905, 'v1')] },
  ];
  expect(findings({ ...base, pages })).toEqual([
    'warning PERCH5004 1 of 2 pages got parts of another version than their document, asked for with the cookies that it had set',
  ]);
});
