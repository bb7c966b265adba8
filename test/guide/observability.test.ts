import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { REQUEST_LABELS } from '../../src/core/evidence/request-totals.ts';
import { refusedLine } from '../../src/gateway/access-log-line.ts';
import { SITUATIONS } from '../gateway/logged-situations.ts';

const page = (name: string) => readFile(new URL(`../../docs/${name}`, import.meta.url), 'utf8');

test('the guide names every field of the access log, and every flag that there is a situation for', async () => {
  const guide = await page('guides/observability.md');
  const fields = Object.keys(JSON.parse(refusedLine(400, { flag: 'DPE', details: 'x' }, { peer: undefined, local: undefined })));
  expect(fields.filter((field) => !guide.includes(`\`${field}\``))).toEqual([]);
  expect(SITUATIONS.filter(({ flags }) => !guide.includes(`| \`${flags}\` |`))).toEqual([]);
});

test('the reference has every label of a request', async () => {
  const reference = await page('reference/metrics.md');
  expect(REQUEST_LABELS.filter((label) => !reference.includes(`\`${label}\``))).toEqual([]);
});
