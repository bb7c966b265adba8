import { expect, test } from 'vitest';
import { PLAIN_INVOCATION, releaseCommand } from './invocation.ts';

test('a command to be typed finds the release that it is about', () => {
  expect(releaseCommand(PLAIN_INVOCATION, 'promote', { namespace: 'default', name: 'web' })).toBe('perch promote web');
  expect(releaseCommand(PLAIN_INVOCATION, 'delete release', { namespace: 'shop', name: 'web' })).toBe('perch delete release web -n shop');
});

test('and in a cluster it names the cluster, and no namespace that is meant anyway', () => {
  const invocation = { program: 'perch --context staging', namespace: 'shop' };
  expect(releaseCommand(invocation, 'promote', { namespace: 'shop', name: 'web' })).toBe('perch --context staging promote web');
  expect(releaseCommand(invocation, 'promote', { namespace: 'default', name: 'web' })).toBe(
    'perch --context staging promote web -n default',
  );
});
