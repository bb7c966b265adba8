import { expect, test } from 'vitest';
import { Listeners } from './listeners.ts';

test('a listener that throws does not keep the others from hearing', () => {
  const errors: unknown[] = [];
  const listeners = new Listeners<[string]>((error) => errors.push(error));
  const heard: string[] = [];
  listeners.add(() => {
    throw new Error('a bug');
  });
  listeners.add((word) => heard.push(word));
  listeners.notify('one');
  listeners.notify('two');
  expect(heard).toEqual(['one', 'two']);
  expect(errors.map(String)).toEqual(['Error: a bug', 'Error: a bug']);
});

test('what a listener causes is told after what it hears, to all', () => {
  const listeners = new Listeners<[number]>((error) => expect.fail(String(error)));
  const heard: string[] = [];
  listeners.add((n) => {
    heard.push(`a${n}`);
    if (n < 3) listeners.notify(n + 1);
  });
  listeners.add((n) => heard.push(`b${n}`));
  listeners.notify(1);
  expect(heard).toEqual(['a1', 'b1', 'a2', 'b2', 'a3', 'b3']);
});

test('a listener removed during a round hears no more, and one added hears the next', () => {
  const listeners = new Listeners<[number]>((error) => expect.fail(String(error)));
  const heard: string[] = [];
  listeners.add((n) => {
    heard.push(`a${n}`);
    stop();
    if (n === 1) listeners.add((later) => heard.push(`c${later}`));
  });
  const stop = listeners.add((n) => heard.push(`b${n}`));
  listeners.notify(1);
  listeners.notify(2);
  expect(heard).toEqual(['a1', 'a2', 'c2']);
});
