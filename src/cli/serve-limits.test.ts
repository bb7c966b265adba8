import { afterEach, beforeEach, expect, test } from 'vitest';
import { perch } from '../../test/harness/perch-process.ts';
import { createScene, type Scene } from '../../test/harness/serve-scene.ts';

let scene: Scene;

beforeEach(async () => {
  scene = await createScene();
});

afterEach(async () => {
  await scene.close();
});

test('--limit changes a limit of the gateway, and only that one', async () => {
  const { ingress } = await scene.serve('-f', scene.files, '--limit', 'requestHeadBytes=4KiB', '--limit', 'clientIdleMs=10m');
  const status = async (bytes: number): Promise<number> => (await fetch(ingress, { headers: { 'x-large': 'a'.repeat(bytes) } })).status;
  expect(await status(3 * 1024)).toBe(200);
  expect(await status(5 * 1024)).toBe(431);
});

test.each([
  ['requestHeadByte=4KiB', 'There is no limit requestHeadByte: did you mean requestHeadBytes?'],
  ['requestHeadBytes=4KB', 'requestHeadBytes takes a size such as 64KiB, 1MiB or 4096.'],
  ['requestHeadBytes=4GiB', 'requestHeadBytes takes a size such as 64KiB, 1MiB or 4096.'],
  ['requestHeadBytes=4MiB', 'requestHeadBytes must be from 1KiB to 1MiB.'],
])('--limit %s is refused before anything starts', async (text, problem) => {
  const { code, stdout, stderr } = await perch(['serve', '--data', scene.data, '--limit', text]);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(`argument '${text}' is invalid. ${problem}\n`);
});
