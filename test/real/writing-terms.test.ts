import { expect, test } from 'vitest';
import type { AuditedWrite } from './audit-log.ts';
import { cameTooLate, lateWrites, termsOf, writesOutOfTerm } from './writing-terms.ts';

/** `revision` is the time too, in ms; undefined where it was refused. */
function write(by: string, resource: string, at: number, more: Partial<AuditedWrite> = {}): AuditedWrite {
  const spec = { holderIdentity: by };
  const object = { apiVersion: 'v1', kind: 'Any', metadata: { name: 'any' }, spec };
  return { by, resource, name: 'any', code: 200, receivedAt: at, answeredAt: at, asked: undefined, object, revision: at, ...more };
}
const REFUSED = { code: 409, object: undefined, revision: Number.NaN };

const LEASES = [write('a', 'leases', 1), write('a', 'leases', 5), write('b', 'leases', 20), write('b', 'leases', 22)];

test('a term lasts from the Lease that one took to the one that the next took', () => {
  expect(termsOf(LEASES)).toEqual([
    { holder: 'a', from: 1, to: 20, takenAt: 1, renewedAt: 5, lostAt: 20 },
    { holder: 'b', from: 20, to: Number.POSITIVE_INFINITY, takenAt: 20, renewedAt: 22, lostAt: Number.POSITIVE_INFINITY },
  ]);
});

test('what one wrote in the term of the other is found, and what it tried; what it tried for the Lease is not', () => {
  const right = [
    write('a', 'events', 2),
    write('a', 'canaryreleases/status', 19),
    write('b', 'events', 21),
    write('a', 'leases', 23, REFUSED),
  ];
  expect([writesOutOfTerm([...LEASES, ...right]), lateWrites([...LEASES, ...right])]).toEqual([[], []]);
  const [late, early, refused] = [write('a', 'events', 21), write('b', 'events', 18), write('a', 'virtualservices', 25, REFUSED)];
  const all = [...LEASES, ...right, late, early, refused];
  expect([writesOutOfTerm(all), lateWrites(all)]).toEqual([
    [late, early],
    [late, early, refused],
  ]);
});

test('a write that names a version which another one has replaced was not done; one that names the last one, or none, may have been', () => {
  const asked = (resourceVersion?: string) => ({
    apiVersion: 'v1',
    kind: 'Any',
    metadata: { name: 'any', ...(resourceVersion === undefined ? {} : { resourceVersion }) },
  });
  const givenUp = { code: 504, object: undefined, revision: Number.NaN };
  const all = [write('b', 'canaryreleases/status', 21), write('b', 'canaryreleases/status', 24, { name: 'other' })];
  const verdict = (at: number, version?: string) =>
    cameTooLate(write('a', 'canaryreleases/status', at, { ...givenUp, asked: asked(version) }), all);
  expect([verdict(22, '19'), verdict(22, '21'), verdict(20, '19'), verdict(22)]).toEqual([true, false, false, false]);
});
