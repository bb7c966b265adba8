import { expect, test } from 'vitest';
import { slicedStream } from './sliced-stream.ts';

async function textOf(pieces: Iterable<string>): Promise<string> {
  return new Response(slicedStream(pieces)).text();
}

test('the text is that of all pieces, whatever their sizes', async () => {
  const sizes = [0, 1, 1000, 65_535, 65_536, 70_000, 200_000, 3];
  const pieces = sizes.map((size, index) => String(index).repeat(size));
  expect(await textOf(pieces)).toBe(pieces.join(''));
  expect(await textOf([])).toBe('');
  expect(await textOf(['é'.repeat(65_536), '😀'])).toBe(`${'é'.repeat(65_536)}😀`);
});

test('others have their turn before each slice, and nothing is made that is not read', async () => {
  const made: number[] = [];
  function* pieces(): Generator<string> {
    for (let index = 0; index < 20; index += 1) {
      made.push(index);
      yield 'x'.repeat(40_000);
    }
  }
  const reader = slicedStream(pieces()).getReader();
  let turns = 0;
  const count = (): void => {
    turns += 1;
    turning = setImmediate(count);
  };
  let turning = setImmediate(count);
  for (let slice = 1; slice <= 3; slice += 1) {
    const before = turns;
    await reader.read();
    expect(turns).toBeGreaterThan(before);
    // Two pieces are a slice.
    expect(made).toHaveLength(2 * slice);
  }
  clearImmediate(turning);
  await reader.cancel();
  expect(made).toHaveLength(6);
});
