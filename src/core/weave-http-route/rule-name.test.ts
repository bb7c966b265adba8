import { expect, it, test } from 'vitest';
import { type HttpRuleName, httpRuleName, parseHttpRuleName } from './rule-name.ts';

const OWN = { namespace: 'shop', release: 'web', cohort: 'stable', index: 2, part: 0 } as const;

it.each<[HttpRuleName, string]>([
  [{ ...OWN, role: 'known', cohort: 'canary' }, 'perch.shop.web.known.canary.2-0'],
  [{ ...OWN, role: 'new', part: 1 }, 'perch.shop.web.new.stable.2-1'],
  [{ ...OWN, role: 'rest', base: { name: 'web-v1', port: 80 } }, 'perch.shop.web.rest.stable.2-0.1.web-v1.80'],
  [
    { ...OWN, role: 'rest', base: { name: 'web.test', port: undefined }, marked: true },
    'perch.shop.web.rest.stable.2-0.2.web.test.0.private',
  ],
  [
    { ...OWN, role: 'rest', base: { name: 'web', port: 80 }, baseName: 'named.pages' },
    'perch.shop.web.rest.stable.2-0.1.web.80.named.named.pages',
  ],
  [{ ...OWN, role: 'told', cohort: 'canary' }, 'perch.shop.web.told.canary.2-0'],
  [{ ...OWN, role: 'rest' }, 'perch.shop.web.rest.stable.2-0.0'],
  [
    { ...OWN, role: 'rest', marked: true, stamped: true, baseName: 'stamped' },
    'perch.shop.web.rest.stable.2-0.0.private.stamped.named.stamped',
  ],
  [{ ...OWN, role: 'beside', baseName: 'private' }, 'perch.shop.web.beside.stable.2-0.named.private'],
])('%j is %s, and is read back', (name, text) => {
  expect(httpRuleName(name)).toBe(text);
  expect(parseHttpRuleName(text)).toEqual(name);
});

test('names of others are none of ours', () => {
  for (const name of [
    undefined,
    '',
    'pages',
    'perch',
    'perch.shop.web',
    'perch.shop.web.known.canary.2',
    'perch.shop.web.asked.canary.2-0',
    'perch.shop.web.known.blue.2-0',
    'perch.shop.web.rest.stable.2-0',
    'perch.shop.web.rest.stable.2-0.1.web',
    'perch.shop.web.rest.stable.2-0.1.web.http',
    'perch.shop.web.rest.stable.2-0.1.web.80.other',
    'perch.shop.web.beside.stable.2-0.named',
  ]) {
    expect(parseHttpRuleName(name)).toBeUndefined();
  }
});
