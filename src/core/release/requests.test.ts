import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PHASES } from './phase.ts';
import { acceptRequest, handledRequest, REQUEST_ACTIONS, requestEffect, withHandled } from './requests.ts';
import type { ReleaseRequest, RequestAction } from './status.ts';

describe('requestEffect', () => {
  test('what a request does in each phase; - is a refusal', () => {
    const table = PHASES.map((phase) => {
      const effects = REQUEST_ACTIONS.map((action) => requestEffect(phase, action).kind);
      return [phase, ...effects.map((kind) => (kind === 'refuse' ? '-' : kind))].join(' ');
    });
    expect([`phase ${REQUEST_ACTIONS.join(' ')}`, ...table]).toEqual([
      'phase promote pause resume rollback retry',
      'Pending - - - rollBack -',
      'Progressing nextStep pause - rollBack -',
      'Paused nextStep - resume rollBack -',
      'Completing - - - rollBack -',
      'Succeeded - - - rollBack -',
      'RollingBack - - - - -',
      'RolledBack - - - - retry',
      'Superseded - - - - -',
    ]);
  });

  test('every refusal says why', () => {
    for (const phase of PHASES) {
      for (const action of REQUEST_ACTIONS) {
        const effect = requestEffect(phase, action);
        if (effect.kind === 'refuse') expect(effect.message).toMatch(/^the release .{10,}|^there is nothing/);
      }
    }
  });

  test('an action nobody knows is refused with those that there are', () => {
    const message = 'there is no request "Promote": use promote, pause, resume, rollback, retry';
    expect(requestEffect('Paused', 'Promote')).toEqual({ kind: 'refuse', message });
  });

  test.each(['', 'Promote', 'constructor', '__proto__', 'toString'])('%j is no action', (action) => {
    for (const phase of PHASES)
      expect(requestEffect(phase, action)).toMatchObject({ kind: 'refuse', message: expect.stringContaining('there is no request') });
  });
});

describe('acceptRequest', () => {
  const request = (id: string, action: RequestAction): ReleaseRequest => ({ id, action, by: 'ada' });
  /** What a status remembers of requests that were handled: the last one first. */
  const handled = (...ids: readonly string[]): ReturnType<typeof withHandled> =>
    ids
      .toReversed()
      .reduce<ReturnType<typeof withHandled>>(
        (status, id) =>
          withHandled(status, { ...request(id, 'promote'), at: '2026-11-22T10:00:00.000Z', outcome: 'done', message: 'promoted' }),
        {},
      );

  test('the last one wins', () => {
    expect(acceptRequest(undefined, undefined, request('1', 'pause'))).toBe(true);
    expect(acceptRequest(request('1', 'promote'), undefined, request('2', 'pause'))).toBe(true);
    expect(acceptRequest(request('1', 'promote'), undefined, request('2', 'rollback'))).toBe(true);
  });

  test('except that a rollback that waits is never overwritten, not even by another', () => {
    for (const action of REQUEST_ACTIONS)
      expect(acceptRequest(request('1', 'rollback'), handled('earlier'), request('2', action))).toBe(false);
  });

  test('a rollback that was handled makes room', () => {
    expect(acceptRequest(request('1', 'rollback'), handled('1'), request('2', 'retry'))).toBe(true);
  });

  test('posting the same request again changes nothing, and is accepted', () => {
    expect(acceptRequest(request('1', 'rollback'), undefined, request('1', 'rollback'))).toBe(true);
  });

  test('an id that was handled does not push out what waits', () => {
    expect(acceptRequest(request('2', 'promote'), handled('1'), request('1', 'pause'))).toBe(false);
  });

  test('nor does one that was handled before the last one: whoever asks again after a lost answer is not served twice', () => {
    const both = handled('2', '1');
    expect(acceptRequest(request('2', 'pause'), both, request('1', 'promote'))).toBe(false);
    expect(handledRequest(both, '1')).toMatchObject({ id: '1', outcome: 'done' });
    expect(acceptRequest(request('1', 'rollback'), both, request('3', 'retry'))).toBe(true);
  });

  test('the last and ten before it are remembered, newest first', () => {
    const ids = Array.from({ length: 13 }, (_, index) => `${index}`);
    const { lastRequest, earlierRequests } = handled(...ids.toReversed());
    expect([lastRequest, ...(earlierRequests ?? [])].map((each) => each?.id)).toEqual(ids.toReversed().slice(0, 11));
  });

  test('whatever is posted while a rollback waits, the rollback is what stays', () => {
    const any = fc.record({ id: fc.constantFrom('a', 'b', 'c'), action: fc.constantFrom(...REQUEST_ACTIONS), by: fc.constant('x') });
    fc.assert(
      fc.property(fc.array(any), (posts) => {
        let pending = request('rb', 'rollback');
        for (const post of posts) if (acceptRequest(pending, undefined, post)) pending = post;
        expect(pending.id).toBe('rb');
      }),
      { seed: 7 },
    );
  });
});
