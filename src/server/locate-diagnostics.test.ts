import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Diagnostic } from '../core/diagnostics/diagnostic.ts';
import { formatPath } from '../core/source/locate.ts';
import { parseManifests } from '../core/source/manifests.ts';
import { locateDiagnostics, parsePath } from './locate-diagnostics.ts';

test('a path that was written for people reads back as the same path', () => {
  const part = fc.oneof(
    fc.nat(999),
    fc.string({ minLength: 1, maxLength: 12 }),
    fc.constantFrom('spec', 'app.kubernetes.io/name', 'a"b]', '\\'),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), (path) => {
      expect(parsePath(formatPath(path))).toEqual(path);
    }),
    { seed: 3, numRuns: 1000 },
  );
});

const TEXT = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web}
spec:
  hosts: [web]
  http:
  - route: []
`;

const FOUND: Diagnostic = {
  code: 'PERCH4051',
  severity: 'error',
  message: 'no',
  object: 'VirtualService default/web',
  path: 'spec.http[0].route',
};

test('what the store says about an object is shown where its owner wrote it', () => {
  const { objects } = parseManifests(TEXT, 'web.yaml');
  const [located] = locateDiagnostics([FOUND], objects);
  expect(located?.source).toMatchObject({ file: 'web.yaml', line: 7, column: 5 });
});

test('objects that were not among the files, and places that are known, stay', () => {
  const { objects } = parseManifests(TEXT, 'web.yaml');
  const elsewhere = { ...FOUND, object: 'VirtualService default/other' };
  const known = { ...FOUND, source: { file: 'x', line: 1, column: 1, endLine: 1, endColumn: 2 } };
  expect(locateDiagnostics([elsewhere, known], objects)).toEqual([elsewhere, known]);
});
