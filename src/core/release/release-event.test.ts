import { expect, test } from 'vitest';
import { boundedEvent, EVENT_REASONS, type ReleaseEvent } from './release-event.ts';

const event: ReleaseEvent = { at: '2026-11-22T10:00:00.000Z', type: 'Normal', reason: 'Paused', message: 'paused at 10 %' };

test('an event is kept as it is; texts that are too long are cut, and end with an ellipsis', () => {
  expect(boundedEvent(event)).toEqual(event);
  expect(boundedEvent({ ...event, message: 'm'.repeat(1000), by: 'b'.repeat(200) })).toEqual({
    ...event,
    message: 'm'.repeat(1000),
    by: 'b'.repeat(200),
  });
  const { message, by } = boundedEvent({ ...event, message: 'm'.repeat(1001), by: 'b'.repeat(5000) });
  expect([message, by]).toEqual([`${'m'.repeat(999)}…`, `${'b'.repeat(199)}…`]);
});

test('every reason is one word, with an explanation', () => {
  for (const [reason, explanation] of Object.entries(EVENT_REASONS)) {
    expect(reason).toMatch(/^[A-Z][A-Za-z]+$/);
    expect(explanation).toMatch(/^[a-z].{10,}/);
  }
});
