import { expect, test } from 'vitest';
import type { EventBatch } from './event-batch.ts';
import { EventOutbox } from './event-outbox.ts';

test('goes out by itself, and at once where it is asked to', async () => {
  const sent: EventBatch[] = [];
  const outbox = new EventOutbox((batch) => sent.push(batch));
  outbox.addLine('a');
  outbox.addLine('b');
  expect(sent).toEqual([]);
  await expect.poll(() => sent.map(({ lines }) => lines)).toEqual([['a', 'b']]);
  outbox.addLine('c');
  outbox.flush();
  outbox.flush();
  expect(sent.map(({ lines }) => lines)).toEqual([['a', 'b'], ['c']]);
});

test('no more than so many are under way; what comes beyond is counted', () => {
  const sent: EventBatch[] = [];
  const outbox = new EventOutbox((batch) => sent.push(batch), 3);
  for (const line of ['a', 'b', 'c', 'd', 'e']) outbox.addLine(line);
  outbox.flush();
  expect(sent).toMatchObject([{ lines: ['a', 'b', 'c'], lost: 2 }]);
  outbox.addLine('f');
  outbox.flush();
  expect(sent[1]).toMatchObject({ lines: [], lost: 1 });
  outbox.taken(3);
  outbox.addLine('g');
  outbox.flush();
  expect(sent[2]).toMatchObject({ lines: ['g'], lost: 0 });
});

test('however long clients make the lines, what is under way is bounded', () => {
  const sent: EventBatch[] = [];
  const outbox = new EventOutbox((batch) => sent.push(batch), 1000, 10);
  for (const line of ['1234567', '12345', '123', '1']) outbox.addLine(line);
  outbox.flush();
  expect(sent).toMatchObject([{ lines: ['1234567', '123'], lost: 2 }]);
  outbox.addLine('1');
  outbox.flush();
  expect(sent[1]).toMatchObject({ lines: [], lost: 1 });
  outbox.taken(2);
  outbox.taken(0);
  outbox.addLine('1234567890');
  outbox.flush();
  expect(sent[2]).toMatchObject({ lines: ['1234567890'], lost: 0 });
});
