import { expect, test } from 'vitest';
import type { HTTPRoute } from '../../core/istio/resources.ts';
import { wovenRuleNames } from '../../core/weave/rule-name.ts';
import { canarySetCookie, expiringSetCookie } from '../../core/weave/set-cookie.ts';
import { takenText } from '../../core/weave/taken-text.ts';
import { actionText } from './rule-text.ts';

const to = (subset: string, weight?: number) => ({ destination: { host: 'web', subset }, ...(weight === undefined ? {} : { weight }) });

test.each([
  ['hundredths', [to('v1', 90), to('v2', 10)], '90 % web/v1, 10 % web/v2'],
  ['thousandths, as a draw by a tenth of a percent has them', [to('v1', 999), to('v2', 1)], '99.9 % web/v1, 0.1 % web/v2'],
  ['any integers', [to('v1', 1), to('v2', 2), to('v3', 5)], '12.5 % web/v1, 25 % web/v2, 62.5 % web/v3'],
  ['one that is left out', [to('v1'), to('v2', 100)], '0 % web/v1, 100 % web/v2'],
  ['none at all', [to('v1'), to('v2')], '0 % web/v1, 0 % web/v2'],
])('weights are shares of their sum: %s', (_what, route, text) => {
  expect(actionText({ route })).toBe(text);
});

test('the only destination has no share', () => {
  expect(actionText({ route: [to('v1', 7)] })).toBe('web/v1');
});

const taken = (role: string, rule: HTTPRoute = {}) => takenText(wovenRuleNames(`perch:default/web:${role}:+`), rule);

test('who is drawn is not new: everyone without the cookie is, each time', () => {
  expect(taken('new:drawn')).toBe('without the cookie, drawn by weight');
  expect(taken('new:canary')).toBe('new visitors drawn for the canary');
});

test('who is not drawn is told by what the rule asks', () => {
  const link: HTTPRoute = { match: [{ queryParams: { perch: { exact: 'web:auto' } } }] };
  expect(taken('claimed:stable', link)).toBe('who follows ?perch=web:auto');
  expect(taken('claimed:canary', { match: [{ headers: { cookie: { regex: '.*' } } }] })).toBe('who chose canary by a link');
  expect(taken('claimed:canary', { match: [{ headers: { 'x-team': { exact: 'qa' } } }] })).toBe('those who are picked');
});

test('of a rule that releases share, whose canary it is', () => {
  const shared = (role: string, web: string, reviews: string) =>
    takenText(wovenRuleNames(`perch:default/web:${role}:${web}:+:perch:default/reviews:${role}:${reviews}:+:shop`), {});
  expect(shared('known', 'canary', 'canary')).toBe('known visitors of the canaries of reviews, web');
  expect(shared('new', 'stable', 'canary')).toBe('new visitors of the canary of reviews');
  expect(shared('known', 'stable', 'stable')).toBe('all other known visitors');
  expect(shared('rest', 'stable', 'stable')).toBe('everyone else');
});

test('after a release those whose cookie is taken back are told apart from visitors known by their id', () => {
  const cookie = { name: 'reviews', value: 'v2', maxAge: 60 };
  const adding = (value: string): HTTPRoute => ({ route: [{ ...to('v1'), headers: { response: { add: { 'Set-Cookie': value } } } }] });
  for (const path of ['/', undefined] as const) {
    expect(taken('known:stable', adding(expiringSetCookie(cookie, path)))).toBe('holders of the canary’s cookie, taken back');
    expect(taken('known:stable', adding(canarySetCookie(cookie, path)))).toBe('all other known visitors');
  }
  expect(taken('known:stable', { route: [to('v1')] })).toBe('all other known visitors');
});
