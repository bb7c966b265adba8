import { expect, test } from 'vitest';
import type { ControllerLogEntry } from './controller-log.ts';
import { PassReport } from './pass-report.ts';
import type { PassResult } from './reconcile.ts';

const REVIEWS = { kind: 'CanaryRelease', namespace: 'default', name: 'reviews' };
const RATINGS = { ...REVIEWS, name: 'ratings' };
const QUIET: PassResult = { events: [], findings: [], meshWarnings: [], isUnconfirmed: false, isOutdated: false };

function report() {
  const entries: ControllerLogEntry[] = [];
  return {
    entries,
    report: new PassReport(
      (entry) => entries.push(entry),
      () => Date.UTC(2026, 0, 1),
    ),
  };
}

const finding = (message: string) => ({ code: 'PERCH2002', severity: 'error', message, object: 'VirtualService default/reviews' }) as const;

test('events are told as they are, with who, what and when', () => {
  const { entries, report: told } = report();
  const event = { at: '2026-01-01T00:00:05.000Z', type: 'Normal', reason: 'Paused', message: 'paused at 10 %', by: 'ann' } as const;
  told.passed(REVIEWS, { ...QUIET, events: [event] });
  expect(entries).toEqual([{ ...event, release: 'default/reviews' }]);
});

test('findings are told when they change, of each release apart', () => {
  const { entries, report: told } = report();
  const found = { ...QUIET, findings: [finding('it already matches on cookie')] };
  told.passed(REVIEWS, found);
  told.passed(REVIEWS, found);
  expect(entries).toMatchObject([
    { type: 'Warning', reason: 'NotWoven', message: 'VirtualService default/reviews: it already matches on cookie (PERCH2002)' },
  ]);
  told.passed(RATINGS, found);
  told.passed(REVIEWS, { ...QUIET, findings: [finding('several destinations')] });
  told.passed(REVIEWS, QUIET);
  told.passed(REVIEWS, found);
  expect(entries.map((entry) => entry.release)).toEqual(['default/reviews', 'default/ratings', 'default/reviews', 'default/reviews']);
});

test('what the mesh has against a release is recorded once of each, and again of another one of that name', () => {
  const recorded: string[] = [];
  const told = new PassReport(
    () => undefined,
    () => Date.UTC(2026, 0, 1),
    ({ name }, { at, reason, message }) => recorded.push(`${name} ${at} ${reason} ${message}`),
  );
  const old = { code: 'PERCH3091', severity: 'warning', message: 'Istio 1.24 is old', hint: 'upgrade Istio' } as const;
  const ids = { code: 'PERCH3092', severity: 'warning', message: 'no ids' } as const;
  told.passed(REVIEWS, { ...QUIET, findings: [old, finding('several destinations')], meshWarnings: [old] });
  told.passed(REVIEWS, QUIET);
  told.passed(REVIEWS, { ...QUIET, findings: [ids, old], meshWarnings: [ids, old] });
  told.passed(RATINGS, { ...QUIET, findings: [old], meshWarnings: [old] });
  const first = '2026-01-01T00:00:00.000Z MeshWarning Istio 1.24 is old (PERCH3091); upgrade Istio';
  expect(recorded).toEqual([`reviews ${first}`, 'reviews 2026-01-01T00:00:00.000Z MeshWarning no ids (PERCH3092)', `ratings ${first}`]);
  const gone = { at: '2026-01-01T00:00:05.000Z', type: 'Normal', reason: 'Deleted', message: 'gone' } as const;
  told.passed(REVIEWS, { ...QUIET, events: [gone] });
  told.passed(REVIEWS, { ...QUIET, findings: [old], meshWarnings: [old] });
  expect(recorded.at(-1)).toBe(`reviews ${first}`);
  expect(recorded).toHaveLength(4);
  // One that was in no route is gone without an event.
  told.forget(REVIEWS);
  told.passed(REVIEWS, { ...QUIET, findings: [old], meshWarnings: [old] });
  expect(recorded).toHaveLength(5);
});

test('a failure is told once while it lasts, and again after a pass that succeeded', () => {
  const { entries, report: told } = report();
  const error = new Error('disk full');
  told.failed(REVIEWS, error);
  told.failed(REVIEWS, new Error('disk full'));
  told.failed(RATINGS, new Error('disk full'));
  told.failed(REVIEWS, new Error('no such table'));
  told.passed(REVIEWS, QUIET);
  told.failed(REVIEWS, new Error('no such table'));
  expect(entries.map(({ release, message }) => [release, message.split(';')[0]])).toEqual([
    ['default/reviews', 'disk full'],
    ['default/ratings', 'disk full'],
    ['default/reviews', 'no such table'],
    ['default/reviews', 'no such table'],
  ]);
  expect(entries[0]).toMatchObject({ at: '2026-01-01T00:00:00.000Z', type: 'Error', reason: 'PassFailed', error });
});

test('an outdated pass says nothing: it was not written', () => {
  const { entries, report: told } = report();
  told.passed(REVIEWS, { ...QUIET, findings: [finding('old news')], isOutdated: true });
  expect(entries).toEqual([]);
});

test('after its deletion a release of the same name is another one: what was found is told again', () => {
  const { entries, report: told } = report();
  const found = { ...QUIET, findings: [finding('several destinations')] };
  const deleted = { at: '2026-01-01T00:00:05.000Z', type: 'Normal', reason: 'Deleted', message: 'the release was deleted' } as const;
  for (const result of [found, { ...QUIET, events: [deleted] }, found]) told.passed(REVIEWS, result);
  expect(entries.map(({ reason }) => reason)).toEqual(['NotWoven', 'Deleted', 'NotWoven']);
});
