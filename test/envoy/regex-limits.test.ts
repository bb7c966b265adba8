import { expect, test } from 'vitest';
import { canaryCookieOf } from '../../src/core/release/canary-cookie.ts';
import { canaryReleaseSpec } from '../../src/core/release/canary-release.ts';
import { BUCKETS, OFFSETS, type Offset } from '../../src/core/visitor/bucket.ts';
import { baggageKey, baggagePattern } from '../../src/core/visitor/cohort.ts';
import { cookieBelow, cookieEqual, cookieValid, requestIdBelow, requestIdValid } from '../../src/core/visitor/patterns.ts';
import { describeWithEnvoy } from '../requirements.ts';
import { startEnvoy, validateWithEnvoy } from './envoy-process.ts';
import { headerRegex, httpListener, type StaticResources } from './static-config.ts';

/** One route per regex: Envoy compiles each, and refuses all of them where the program of one exceeds its limit. */
function routesOf(patterns: Iterable<string>): StaticResources {
  const routes = Array.from(patterns, (regex) => ({
    match: { prefix: '/', headers: [headerRegex('x-tested', regex)] },
    direct_response: { status: 204 },
  }));
  return { listeners: [httpListener('patterns', routes)], clusters: [] };
}

/** The longest names a cookie may have (hyphens and underscores cost an instruction each, as letters do), the one for `__Host-`, and the default. */
const COOKIE_NAMES = ['__Host-perch_1', 'aaaaaaaaaaaaaa', '--------------', '__Host-perch', 'perch'];

/** Of a name or a value of canaryOnly's cookie. */
const LONGEST_CANARY_TEXT = 32;

function visitorPatterns(offset: Offset): ReadonlySet<string> {
  const patterns = new Set([requestIdValid(), ...COOKIE_NAMES.map(cookieValid)]);
  for (let cutoff = 0; cutoff <= BUCKETS; cutoff++) {
    for (const pattern of [requestIdBelow(cutoff, offset), ...COOKIE_NAMES.map((name) => cookieBelow(name, cutoff, offset))]) {
      if (pattern !== undefined) patterns.add(pattern);
    }
  }
  return patterns;
}

/** Names of every length that Kubernetes allows, plain, with dots at their worst, and with one at each place where a name is cut. */
function baggagePatterns(): ReadonlySet<string> {
  const patterns = new Set<string>();
  for (let length = 1; length <= 253; length++) {
    const names = ['r'.repeat(length), 'r.'.repeat(127).slice(0, length).replace(/\.$/, 'r')];
    if (length > 2) names.push(`${'r'.repeat(length - 2)}.r`);
    for (const name of names) {
      for (const cohort of ['canary', 'stable'] as const) patterns.add(baggagePattern(baggageKey('default', name), cohort));
    }
  }
  return patterns;
}

/** canaryOnly's cookie: names and values of every length, as a release writes them and as its own for releases and versions of every length. */
function canaryCookiePatterns(): ReadonlySet<string> {
  const text = (length: number, from: string) => from.repeat(length).slice(0, length);
  const patterns = new Set<string>();
  for (let name = 1; name <= LONGEST_CANARY_TEXT; name++) {
    for (let value = 1; value <= LONGEST_CANARY_TEXT; value++) patterns.add(cookieEqual(text(name, 'aB-_9'), text(value, '_z0-Y')));
  }
  for (let length = 1; length <= 63; length++) {
    const affinity = { mode: 'canaryOnly' as const };
    const spec = { affinity, canary: { subset: text(length, 'v-2.') }, revision: length };
    const own = canaryCookieOf({ namespace: 'default', name: 'r'.repeat(length), started: 0, spec });
    if (own !== undefined) patterns.add(cookieEqual(own.name, own.value));
  }
  return patterns;
}

describeWithEnvoy('every regex that Perch writes, in an Envoy with its default limits', (envoy) => {
  test('the limit is on: one instruction too many is refused, in validation and at a start', async () => {
    const tooLarge = routesOf(['[0-9a-f-]{36}']);
    const refusal = /program size of 112 > max program size of 100/;
    const validated = await validateWithEnvoy(envoy, tooLarge);
    expect(validated.ok).toBe(false);
    expect(validated.output).toMatch(refusal);
    await expect(startEnvoy(envoy, tooLarge)).rejects.toThrow(refusal);
    expect(await validateWithEnvoy(envoy, routesOf(['[0-9a-f-]{12}']))).toMatchObject({ ok: true });
  });

  test.each(OFFSETS)('cookies and request ids, every cutoff, at offset %i', async (offset) => {
    const patterns = visitorPatterns(offset);
    // At 4096 the pattern is that of any valid id, and at 0 there is none.
    expect(patterns.size).toBe((COOKIE_NAMES.length + 1) * BUCKETS);
    const { ok, output } = await validateWithEnvoy(envoy, routesOf(patterns));
    expect(output).toContain('OK');
    expect(ok).toBe(true);
  });

  test('baggage, for release names of every length', async () => {
    const patterns = baggagePatterns();
    expect(patterns.size).toBeGreaterThan(1000);
    const { ok, output } = await validateWithEnvoy(envoy, routesOf(patterns));
    expect(output).toContain('OK');
    expect(ok).toBe(true);
  });

  test('the cookie of canaryOnly, names and values of every length', async () => {
    const text = canaryReleaseSpec.shape.affinity.unwrap().shape.cookie.unwrap().shape.name.unwrap();
    expect([LONGEST_CANARY_TEXT, LONGEST_CANARY_TEXT + 1].map((length) => text.safeParse('x'.repeat(length)).success)).toEqual([
      true,
      false,
    ]);
    const patterns = canaryCookiePatterns();
    expect(patterns.size).toBe(LONGEST_CANARY_TEXT ** 2 + 63);
    const { ok, output } = await validateWithEnvoy(envoy, routesOf(patterns));
    expect(output).toContain('OK');
    expect(ok).toBe(true);
  });

  test('an Envoy that really serves has loaded them all', async () => {
    const patterns = new Set([
      ...OFFSETS.flatMap((offset) => [...visitorPatterns(offset)]),
      ...baggagePatterns(),
      ...canaryCookiePatterns(),
    ]);
    const running = await startEnvoy(envoy, routesOf(patterns));
    try {
      const url = `http://127.0.0.1:${running.port('patterns')}/`;
      const tested = 'a=1; __Host-perch_1=0b5d7f1e-9c1a-4d07-8a3e-000fff000fff; b=2';
      expect((await fetch(url, { headers: { 'x-tested': tested } })).status).toBe(204);
      expect((await fetch(url, { headers: { 'x-tested': 'perch=nobody' } })).status).toBe(404);
      expect(await running.admin('/config_dump?resource=static_route_configs')).toContain(
        JSON.stringify(baggagePattern('perch.r', 'canary')),
      );
    } finally {
      await running.stop();
    }
  });
});
