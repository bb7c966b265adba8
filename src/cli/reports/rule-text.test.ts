import { expect, test } from 'vitest';
import { parseWovenRuleName } from '../../core/weave/rule-name.ts';
import { actionText, takenText } from './rule-text.ts';

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

test('who is drawn is not new: everyone without the cookie is, each time', () => {
  const taken = (role: string) => takenText(parseWovenRuleName(`perch:default/web:${role}:+`) ?? expect.fail(role));
  expect(taken('new:drawn')).toBe('without the cookie, drawn by weight');
  expect(taken('new:canary')).toBe('new visitors drawn for the canary');
});
