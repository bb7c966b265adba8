import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CODES } from '../src/core/diagnostics/codes.ts';
import { hasErrors } from '../src/core/diagnostics/diagnostic.ts';
import { validateCanaryRelease } from '../src/core/release/validate.ts';
import { parseManifests } from '../src/core/source/manifests.ts';
import { commandReference } from './command-reference.ts';
import { errorReference } from './error-reference.ts';
import { PAGES } from './generate-docs.ts';
import { EXAMPLE, releaseReference } from './release-reference.ts';
import { ROOT } from './repository.ts';

test.each(PAGES)('$path is what the code says (else: npm run docs)', async ({ path, text }) => {
  expect(readFileSync(`${ROOT}/${path}`, 'utf8')).toBe(await text());
});

describe('the page of the resource', () => {
  test('its example is a valid release', () => {
    const { objects } = parseManifests(EXAMPLE, 'example.yaml');
    const [example] = objects;
    expect(objects).toHaveLength(1);
    expect(example && hasErrors(validateCanaryRelease(example.object).diagnostics)).toBe(false);
  });

  test('has a description for every field', () => {
    const rows = releaseReference()
      .split('\n')
      .filter((line) => /^\| `\w+` \|/.test(line));
    expect(rows.length).toBeGreaterThan(25);
    for (const row of rows) expect(row).toMatch(/\| [^|]{10,} \|$/);
  });

  test('links only to codes that exist', () => {
    const links = [...releaseReference().matchAll(/errors\.md#(PERCH\d+)/g)].map(([, code = '']) => code);
    expect(links.length).toBeGreaterThan(3);
    for (const code of links) expect(Object.keys(CODES)).toContain(code);
  });
});

test('the page of codes has every code, in order', () => {
  const rows = [...errorReference().matchAll(/^\| <a id="(PERCH\d+)">/gm)].map(([, code]) => code);
  expect(rows).toEqual(Object.keys(CODES).toSorted());
});

test('the page of commands has every command, linked from its table', () => {
  const page = commandReference();
  const headings = [...page.matchAll(/^## perch (\w+)$/gm)].map(([, name]) => name);
  const links = [...page.matchAll(/^\| \[`perch (\w+)`\]\(#perch-(\w+)\)/gm)].map(([, name, target]) => [name, target]);
  expect(headings.length).toBeGreaterThan(14);
  expect(links).toEqual(headings.map((name) => [name, name]));
});
