import { expect, test } from 'vitest';
import type { Answer } from './observations.ts';
import { answer, observed } from './simulated-site.cases.ts';
import { tellVersions } from './version-telling.ts';

/** How a guess calls the versions of these answers, which come one after the other. */
function guessed(
  answers: readonly Partial<Answer>[],
): { readonly how: string; readonly versions: readonly (string | undefined)[] } | undefined {
  const seen = answers.map((each, order) => answer(order, undefined, each));
  const telling = tellVersions(observed({ visitors: seen.map((each) => [each]) }), { by: 'guess' });
  return telling === undefined ? undefined : { how: telling.how, versions: seen.map(telling.of) };
}

const page = (digest: string, text?: string): Partial<Answer> => ({ body: { digest, bytes: 2, ...(text !== undefined && { text }) } });
const header = (name: string, value: string, digest = 'same'): Partial<Answer> => ({ headers: new Map([[name, value]]), ...page(digest) });

test('a header that is named for versions, before the page', () => {
  const answers = [header('x-app-version', '1', 'a'), header('x-app-version', '2', 'b'), header('x-app-version', '1', 'c')];
  expect(guessed(answers)).toEqual({ how: 'the header x-app-version', versions: ['1', '2', '1'] });
});

test('a page that comes in two forms, by its text where it is short', () => {
  expect(guessed([page('a', 'v1\n'), page('b', 'v2\n'), page('a', 'v1\n')])).toEqual({
    how: 'the whole page',
    versions: ['v1', 'v2', 'v1'],
  });
  expect(guessed([page('a'), page('b'), page('a')])?.versions).toEqual(['page A', 'page B', 'page A']);
});

test('a page that changed once for all is no split', () => {
  expect(guessed([page('a'), page('a'), page('b'), page('b')])).toBeUndefined();
});

test('a page of their own for everybody tells nothing, an ETag may', () => {
  expect(guessed(['a', 'b', 'c', 'd', 'e', 'f'].map((digest) => page(digest)))).toBeUndefined();
  const answers = ['"1"', '"2"', '"1"', '"2"', '"1"'].map((etag, index) => header('etag', etag, String(index)));
  expect(guessed(answers)?.how).toBe('the header etag');
});

test('more values than a site has versions tell nothing, however they come', () => {
  expect(guessed([...'abcdeabcde'].map((digest) => page(digest)))).toBeUndefined();
});

test('a part that is something else than the page is no version of it', () => {
  const [document, part] = [answer(0, undefined, page('a', 'v1')), answer(1, undefined, page('p', 'image'))];
  const telling = tellVersions(observed({ pages: [{ document, parts: [part] }] }), { by: 'guess' });
  expect([document, part].map((each) => telling?.of(each))).toEqual(['v1', undefined]);
});

test('equal pages are one version', () => {
  expect(guessed([page('a', 'ok'), page('a', 'ok')])).toEqual({ how: 'the whole page', versions: ['ok', 'ok'] });
});

test('errors of the server tell nothing', () => {
  expect(guessed([page('a', 'v1'), { ...page('e'), status: 503 }, page('a', 'v1')])?.versions).toEqual(['v1', undefined, 'v1']);
});

test('by a header, a cookie or a pattern, as the user says', () => {
  const seen = answer(0, 'v2', { cookies: new Map([['canary', 'yes']]), body: { digest: '', bytes: 0, captured: 'blue' } });
  const other = answer(1, undefined, { cookies: new Map() });
  const tell = (source: Parameters<typeof tellVersions>[1]) => [seen, other].map((each) => tellVersions(observed({}), source)?.of(each));
  expect(tell({ by: 'header', name: 'X-Version' })).toEqual(['v2', undefined]);
  expect(tell({ by: 'cookie', name: 'canary' })).toEqual(['yes', 'without canary']);
  expect(tell({ by: 'pattern', pattern: '(blue)' })).toEqual(['blue', undefined]);
});
