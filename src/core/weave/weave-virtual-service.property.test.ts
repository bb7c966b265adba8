import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, it } from 'vitest';
import type { HTTPMatchRequest, HTTPRoute, KubeObject } from '../istio/resources.ts';
import { atLeast, runs } from '../property-runs.cases.ts';
import { SHAPES } from './arbitrary-draws.cases.ts';
import { originOf, pairs, SERVICE } from './arbitrary-inputs.cases.ts';
import { rulesOf } from './fixtures.cases.ts';
import { blocksOf } from './rule-blocks.ts';
import { parseWovenRuleName } from './rule-name.ts';
import { unweave } from './unweave.ts';
import { unweaveBase } from './unweave-base.ts';
import { type WeaveInput, weaveRelease } from './weave-virtual-service.ts';

describe.each(SHAPES)('weaving any VirtualService: %s', (_shape, inputs, often) => {
  const holds = (predicate: (input: WeaveInput) => void) => fc.assert(fc.property(inputs, predicate), { seed: 11, numRuns: runs(400) });

  it('weaves often enough for what follows to mean something', () => {
    const samples = fc.sample(inputs, { seed: 11, numRuns: runs(400) });
    expect(samples.filter((input) => weaveRelease(input).routes.length > 0).length).toBeGreaterThan(atLeast(often));
    expect(samples.filter((input) => weaveRelease(input).routes.length === 2).length).toBeGreaterThan(atLeast(often / 4));
  });

  it('is pure: the input may be frozen, and the same again gives the same', () => {
    holds((input) => {
      for (const each of objectsIn([input.routed, input.issuing, input.siblings, input.gateways])) Object.freeze(each);
      const first = weaveRelease(input);
      for (const each of objectsIn(first.routes)) Object.freeze(each);
      expect(weaveRelease(input)).toEqual(first);
    });
  });

  it('is idempotent: a woven object is taken for its base', () => {
    holds((input) => {
      const first = weaveRelease(input);
      const named = (name: string | undefined) => first.routes.find((route) => route.name === name)?.virtualService;
      const again = weaveRelease({
        ...input,
        routed: named(input.routed.metadata.name) ?? input.routed,
        issuing: named(input.issuing?.metadata.name) ?? input.issuing,
      });
      expect(again).toStrictEqual(first);
    });
  });

  it('un-weaves to the base', () => {
    holds((input) => {
      for (const { base, served } of pairs(input))
        expect(JSON.parse(JSON.stringify(unweave(served)))).toStrictEqual(JSON.parse(JSON.stringify(base)));
    });
  });

  it('un-weaves to the live version by changing released destinations, and nothing else', () => {
    holds((input) => {
      const live = { release: { namespace: 'default', name: 'web' }, service: SERVICE, version: { subset: 'v2' } };
      for (const { base, served } of pairs(input)) {
        const settled = unweave(served, live);
        expect(withoutDestinations(settled)).toStrictEqual(withoutDestinations(base));
        const released = new Set(
          rulesOf(served).flatMap((each) => (parseWovenRuleName(each.name)?.base.kind === 'moved' ? [originOf(each)] : [])),
        );
        rulesOf(settled).forEach((each, index) => {
          const expected = released.has(each.name) ? { subset: 'v2' } : (rulesOf(base)[index]?.route?.[0]?.destination ?? {});
          expect(each.route?.[0]?.destination ?? {}).toMatchObject(expected);
        });
      }
      expect(unweaveBase(input, { subset: 'v2' }).routes.map((route) => JSON.stringify(route))).toEqual(
        weaveRelease({ ...input, plan: { kind: 'settled', live: { subset: 'v2' } } }).routes.map((route) =>
          JSON.stringify({ ...route, virtualService: unweave(route.virtualService, live) }),
        ),
      );
    });
  });

  it('keeps every other field of every rule, and of the object', () => {
    holds((input) => {
      for (const { base, served } of pairs(input)) {
        expect(withoutRules(served)).toStrictEqual(withoutRules(base));
        for (const each of rulesOf(served)) {
          const from = rulesOf(base).find((candidate) => candidate.name === originOf(each));
          for (const part of drawnFrom(each)) expect(withoutWovenFields(part)).toStrictEqual(withoutWovenFields(weighing(from, part)));
        }
      }
    });
  });

  it('grows linearly: at most 7 rules for one, and at most 7 blocks for one', () => {
    holds((input) => {
      for (const { base, served } of pairs(input)) {
        const blocks = (object: KubeObject) => rulesOf(object).flatMap(blocksOf).length;
        expect(rulesOf(served).length).toBeLessThanOrEqual(7 * rulesOf(base).length);
        expect(blocks(served)).toBeLessThanOrEqual(7 * blocks(base));
      }
    });
  });

  it('generates regexes of at most 100 characters, which RE2 takes', () => {
    holds((input) => {
      for (const { base, served } of pairs(input)) {
        const users = JSON.stringify(base);
        const regexes = [...JSON.stringify(served).matchAll(/"regex":("(?:[^"\\]|\\.)*")/g)].map(
          (found) => JSON.parse(found[1] ?? '""') as string,
        );
        for (const regex of regexes.filter((each) => !users.includes(JSON.stringify(each)))) {
          expect(regex.length).toBeLessThanOrEqual(100);
          expect(() => RE2JS.compile(regex)).not.toThrow();
        }
      }
    });
  });

  it('only narrows: every woven block asks all that a block of its base rule asks', () => {
    holds((input) => {
      for (const { base, served } of pairs(input)) {
        for (const each of rulesOf(served)) {
          const from = rulesOf(base).find((candidate) => candidate.name === originOf(each));
          for (const block of blocksOf(each)) expect(blocksOf(from ?? {}).some((wide) => isNarrower(block, wide))).toBe(true);
        }
      }
    });
  });
});

function objectsIn(value: unknown): object[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value, ...Object.values(value).flatMap(objectsIn)];
}

function withoutRules(object: KubeObject): unknown {
  return plain({ ...object, spec: { ...(object.spec as object), http: [] } });
}

function withoutDestinations(object: KubeObject): unknown {
  const http = rulesOf(object).map((each) => ({ ...each, route: each.route?.map((target) => ({ ...target, destination: {} })) }));
  return plain({ ...object, spec: { ...(object.spec as object), http } });
}

/** A rule that draws, as the rules with one destination that it draws between; any other as it is. */
function drawnFrom(rule: HTTPRoute): readonly HTTPRoute[] {
  const { route = [], ...rest } = rule;
  return parseWovenRuleName(rule.name)?.cohort === 'drawn' ? route.map((target) => ({ ...rest, route: [target] })) : [rule];
}

/** The rule with the weights of another: a draw has its own. */
function weighing(rule: HTTPRoute | undefined, drawn: HTTPRoute): HTTPRoute | undefined {
  if (rule === undefined || parseWovenRuleName(drawn.name)?.cohort !== 'drawn') return rule;
  const weight = drawn.route?.[0]?.weight ?? 0;
  return { ...rule, route: (rule.route ?? []).map((target) => ({ ...target, weight })) };
}

/** A rule without what weaving may change: its name, its match, and of its destinations where they lead and what is added to headers. */
function withoutWovenFields(rule: HTTPRoute | undefined): unknown {
  return plain({ ...rule, name: '', match: [], route: rule?.route?.map((target) => ({ ...target, destination: {}, headers: {} })) });
}

/** As JSON: without fields that are undefined. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** Whether `block` has every condition of `wide`; gateways may be fewer, and headers more. */
function isNarrower(block: HTTPMatchRequest, wide: HTTPMatchRequest): boolean {
  const { headers: asked = {}, gateways = [], ...rest } = block;
  const { headers: wanted = {}, gateways: allowed = [], ...wideRest } = wide;
  const headersKept = Object.entries(wanted).every(([name, match]) => JSON.stringify(asked[name]) === JSON.stringify(match));
  const gatewaysKept = allowed.length === 0 || (gateways.length > 0 && gateways.every((name) => allowed.includes(name)));
  // A delegate's rule without a match may repeat what its roots say, to fit them.
  const { ignoreUriCase: _, sourceNamespace: __, ...ownRest } = rest;
  const restKept = JSON.stringify(Object.keys(wide).length === 0 ? ownRest : rest) === JSON.stringify(wideRest);
  return headersKept && gatewaysKept && restKept;
}
