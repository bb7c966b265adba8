import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseWovenRuleName, servedRuleNames, type WovenRuleName, wovenRuleName } from './rule-name.ts';

const NAME: WovenRuleName = {
  namespace: 'default',
  release: 'reviews',
  role: 'known',
  cohort: 'canary',
  base: { kind: 'moved', subset: 'v1', address: undefined },
  baseName: 'reviews-default',
};

describe('wovenRuleName', () => {
  it.each<[string, Partial<WovenRuleName>]>([
    ['perch:default/reviews:known:canary:v1:reviews-default', {}],
    ['perch:default/reviews:known:canary:v1', { baseName: undefined }],
    ['perch:default/reviews:known:canary:v1:', { baseName: '' }],
    ['perch:default/reviews:known:canary:-:a:b', { base: { kind: 'moved', subset: undefined, address: undefined }, baseName: 'a:b' }],
    [
      'perch:default/reviews:known:canary:v1@web@9080',
      { base: { kind: 'moved', subset: 'v1', address: { host: 'web', port: 9080 } }, baseName: undefined },
    ],
    [
      'perch:default/reviews:known:canary:-@web@',
      { base: { kind: 'moved', subset: undefined, address: { host: 'web', port: undefined } }, baseName: undefined },
    ],
    [
      'perch:default/reviews:rest:drawn:v1*100:x',
      { role: 'rest', cohort: 'drawn', base: { kind: 'moved', subset: 'v1', address: undefined, weight: 100 }, baseName: 'x' },
    ],
    [
      'perch:default/reviews:rest:drawn:-@web@80*0',
      {
        role: 'rest',
        cohort: 'drawn',
        base: { kind: 'moved', subset: undefined, address: { host: 'web', port: 80 }, weight: 0 },
        baseName: undefined,
      },
    ],
    ['perch:default/reviews:new:drawn:+', { role: 'new', cohort: 'drawn', base: { kind: 'kept', stamped: true }, baseName: undefined }],
    ['perch:default/reviews:new:stable:=', { role: 'new', cohort: 'stable', base: { kind: 'kept', stamped: false }, baseName: undefined }],
    [
      'perch:default/reviews:rest:stable:v1@web@80!:x',
      {
        role: 'rest',
        cohort: 'stable',
        base: { kind: 'moved', subset: 'v1', address: { host: 'web', port: 80 }, marked: true },
        baseName: 'x',
      },
    ],
    [
      'perch:default/reviews:rest:stable:+!',
      { role: 'rest', cohort: 'stable', base: { kind: 'kept', stamped: true, marked: true }, baseName: undefined },
    ],
    ['perch:default/reviews:rest:stable:+', { role: 'rest', cohort: 'stable', base: { kind: 'kept', stamped: true }, baseName: undefined }],
  ])('%s', (text, changes) => {
    const name = { ...NAME, ...changes };
    expect(wovenRuleName(name)).toBe(text);
    expect(parseWovenRuleName(text)).toEqual({ ...name, baseSubset: name.base.kind === 'moved' ? name.base.subset : undefined });
  });

  it('survives any name of a base rule', () => {
    fc.assert(
      fc.property(fc.option(fc.string({ unit: 'binary' }), { nil: undefined }), (baseName) => {
        expect(parseWovenRuleName(wovenRuleName({ ...NAME, baseName }))?.baseName).toBe(baseName);
      }),
      { seed: 2 },
    );
  });
});

describe('parseWovenRuleName', () => {
  it.each([
    undefined,
    '',
    'reviews',
    'perch',
    'perch:reviews:known:canary:v1:x',
    'perch:default/reviews:known:canary',
    'perch:default/reviews:seen:canary:v1:x',
    'perch:default/reviews:known:beta:v1:x',
    'perch:default/:known:canary:v1:x',
    'perch:default/reviews:known:canary:v1@web:x',
    'perch:default/reviews:rest:drawn:v1*:x',
    'perch:default/reviews:rest:drawn:v1*1.5:x',
    'x perch:default/reviews:known:canary:v1:x',
  ])('leaves %j alone', (name) => {
    expect(parseWovenRuleName(name)).toBeUndefined();
  });
});

describe('servedRuleNames', () => {
  it('finds the woven name, alone or behind the name of a root’s rule', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.option(fc.string({ unit: 'binary' }), { nil: undefined }), (root, baseName) => {
        const woven = wovenRuleName({ ...NAME, baseName });
        const expected = parseWovenRuleName(woven);
        expect(servedRuleNames(woven)[0]).toEqual(expected);
        expect(servedRuleNames(`${root}-${woven}`)[0]).toEqual(expected);
      }),
      { seed: 3 },
    );
  });

  it.each(['to-perch', 'a-perch:b', 'perch', '-', ''])('whatever the root’s rule is called: %s', (root) => {
    expect(servedRuleNames(`${root}-perch:default/reviews:known:canary:v1:x-y`)[0]).toMatchObject({ cohort: 'canary', baseName: 'x-y' });
  });

  it('finds none in other names', () => {
    for (const name of [
      undefined,
      'shop',
      'shop-perch:',
      'shop-perch:default/reviews:seen:canary:v1',
      'shopperch:default/reviews:known:canary:v1',
    ]) {
      expect(servedRuleNames(name)[0]).toBeUndefined();
    }
  });
});
