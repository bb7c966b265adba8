import { expect, test, vi } from 'vitest';
import { CommandError, NotAllowedError } from '../command-error.ts';
import { Refusals } from './refusals.ts';

const refusal = new NotAllowedError('ada may not');

test('who was never let in is refused at once; other errors are none of its business', () => {
  expect(() => new Refusals(false).take(refusal)).toThrow(refusal);
  new Refusals(false).take(new CommandError('lost'));
});

test('who was let in before is refused once it lasts, from the first refusal on', () => {
  const clock = vi.spyOn(performance, 'now');
  const refusals = new Refusals(false);
  refusals.allowed();
  for (const at of [0, 29_000]) {
    clock.mockReturnValue(at);
    refusals.take(refusal);
  }
  refusals.allowed();
  for (const at of [31_000, 60_000]) {
    clock.mockReturnValue(at);
    refusals.take(refusal);
  }
  clock.mockReturnValue(62_000);
  expect(() => refusals.take(refusal)).toThrow(refusal);
  clock.mockRestore();
});
