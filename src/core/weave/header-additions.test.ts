import { describe, expect, it } from 'vitest';
import { type HeaderAddition, withAdditions, withoutAddition } from './header-additions.ts';

const TARGET = { destination: { host: 'a' } };
const STAMP: HeaderAddition = { direction: 'request', name: 'baggage', value: 'perch.a=stable', join: true };

describe('additions to a destination', () => {
  it.each<[string, object, object]>([
    ['nothing there', {}, { headers: { request: { add: { baggage: 'perch.a=stable' } } } }],
    [
      'other operations',
      { headers: { request: { set: { b: '1' } }, response: { remove: ['c'] } } },
      { headers: { request: { set: { b: '1' }, add: { baggage: 'perch.a=stable' } }, response: { remove: ['c'] } } },
    ],
    [
      'another addition',
      { headers: { request: { add: { b: '1' } } } },
      { headers: { request: { add: { b: '1', baggage: 'perch.a=stable' } } } },
    ],
    [
      'the same header',
      { headers: { request: { add: { Baggage: 't=1' } } } },
      { headers: { request: { add: { Baggage: 't=1,perch.a=stable' } } } },
    ],
  ])('with %s: there, and gone again', (_, before, after) => {
    const target = { ...TARGET, ...before };
    expect(withAdditions(target, [STAMP])).toStrictEqual({ ...TARGET, ...after });
    expect(withoutAddition(withAdditions(target, [STAMP]), STAMP)).toStrictEqual(target);
  });

  it('what somebody else wrote since is not taken out', () => {
    for (const value of ['perch.a=canary', 'xperch.a=stable', 'perch.a=stable,t=1']) {
      const target = { ...TARGET, headers: { request: { add: { baggage: value } } } };
      expect(withoutAddition(target, STAMP)).toStrictEqual(target);
    }
    expect(withoutAddition(TARGET, STAMP)).toStrictEqual(TARGET);
  });

  it('replaces where a header cannot be joined', () => {
    const target = { ...TARGET, headers: { response: { add: { 'set-cookie': 'a=1' } } } };
    const cookie: HeaderAddition = { direction: 'response', name: 'Set-Cookie', value: 'b=2', join: false };
    expect(withAdditions(target, [cookie]).headers?.response?.add).toEqual({ 'set-cookie': 'b=2' });
  });
});
