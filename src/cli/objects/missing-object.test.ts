import { expect, test } from 'vitest';
import { missingText } from './missing-object.ts';

const release = (name: string, namespace = 'default') => ({ kind: 'CanaryRelease', namespace, name });

test.each([
  ['nothing is there', 'web', [], 'there is no CanaryRelease default/web'],
  ['a typing mistake', 'wbe', [release('shop'), release('web')], 'there is no CanaryRelease default/wbe: did you mean web?'],
  ['another namespace', 'web', [release('web', 'shop')], 'there is no CanaryRelease default/web: it is in namespace shop (-n shop)'],
  ['nothing like it', 'web', [release('reviews'), release('ratings')], 'there is no CanaryRelease default/web (there: reviews, ratings)'],
  [
    'many others',
    'web',
    Array.from({ length: 7 }, (_, index) => release(`reviews-${index}`)),
    'there is no CanaryRelease default/web (there: reviews-0, reviews-1, reviews-2, reviews-3, reviews-4 and 2 more)',
  ],
])('%s', (_, name, existing, text) => {
  expect(missingText(release(name), existing)).toBe(text);
});
