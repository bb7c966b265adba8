import { expect, test } from 'vitest';
import { formatPath } from './locate.ts';

test.each([
  [['spec', 'steps', 1, 'weight'], 'spec.steps[1].weight'],
  [['metadata', 'labels', 'app.kubernetes.io/name'], 'metadata.labels["app.kubernetes.io/name"]'],
  [['spec', 'http', 0, 'x-y'], 'spec.http[0].x-y'],
  [[], ''],
  [['a"b'], '["a\\"b"]'],
])('%j is written %s', (path, text) => {
  expect(formatPath(path)).toBe(text);
});
