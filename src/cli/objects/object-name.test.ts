import { expect, test } from 'vitest';
import { releaseCommand } from './object-name.ts';

test('a command to be typed finds the release that it is about', () => {
  expect(releaseCommand('promote', { namespace: 'default', name: 'web' })).toBe('perch promote web');
  expect(releaseCommand('delete release', { namespace: 'shop', name: 'web' })).toBe('perch delete release web -n shop');
});
