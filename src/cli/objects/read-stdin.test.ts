import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { readStdin } from './read-stdin.ts';

test('reads to the end', async () => {
  const input = new PassThrough();
  const read = readStdin(new AbortController().signal, input);
  input.write('a: ');
  input.end('1\n');
  expect(Buffer.from(await read).toString()).toBe('a: 1\n');
});

test('Ctrl-C ends the waiting, before and during it', async () => {
  const controller = new AbortController();
  const input = new PassThrough();
  const read = readStdin(controller.signal, input);
  input.write('a: ');
  controller.abort();
  await expect(read).rejects.toThrow('interrupted');
  await expect(readStdin(controller.signal, new PassThrough())).rejects.toThrow('interrupted');
});
