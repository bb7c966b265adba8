import fc from 'fast-check';
import { expect, test } from 'vitest';
import { edgeFindings } from './edge-findings.ts';
import type { EdgeFigures } from './edge-tally.ts';

const QUIET: EdgeFigures = { requests: 1000, issued: 200, oddRequestIds: 0, oddOnCanary: 0, crossSite: 0 };
const codes = (figures: Partial<EdgeFigures>) => edgeFindings('default/web', { ...QUIET, ...figures }, 'documents').map(({ code }) => code);

test('request ids that cannot become visitor ids, with one of them and the way out', () => {
  const edge = { ...QUIET, issued: 0, oddRequestIds: 40, oddRequestId: '3e4666bfd5e54aa7b8ce0b3e41c7568a' };
  expect(edgeFindings('default/web', edge, 'documents')).toEqual([
    {
      code: 'PERCH3080',
      severity: 'warning',
      object: 'CanaryRelease default/web',
      message:
        '40 of 40 first visits in this step got no valid visitor id: their request ids such as 3e4666bfd5e54aa7b8ce0b3e41c7568a do not end in a hyphen and 12 lower-case hex digits, as those of a UUID do; they stay on stable',
      hint: expect.stringContaining('preserve_external_request_id'),
    },
  ]);
});

test('a short last group that looks like a bucket sends everyone to the canary', () => {
  const fate = (oddOnCanary: number) =>
    edgeFindings('default/web', { ...QUIET, oddRequestIds: 40, oddOnCanary }, 'all')[0]?.message.split('; ')[1];
  expect(fate(40)).toBe('they are on the canary, whatever its weight');
  expect(fate(7)).toBe('7 of them are on the canary, whatever its weight');
});

test('scripts of other sites, and what becomes of them', () => {
  const edge = { ...QUIET, crossSite: 125 };
  const message = (issueOn: 'documents' | 'all') => edgeFindings('default/web', edge, issueOn).map((finding) => finding.message);
  const counted = '12.5 % of the requests at the edge in this step (125 of 1000) come from scripts of other sites and bring no visitor id';
  expect(message('documents')).toEqual([`${counted}: without credentials they stay on stable`]);
  expect(message('all')).toEqual([`${counted}: without credentials each draws anew`]);
});

test('a few requests, which anyone can send, say nothing about the edge', () => {
  expect(codes({ oddRequestIds: 9, issued: 0 })).toEqual([]);
  expect(codes({ oddRequestIds: 10 })).toEqual([]);
  expect(codes({ oddRequestIds: 11 })).toEqual(['PERCH3080']);
  expect(codes({ crossSite: 9, requests: 9 })).toEqual([]);
  expect(codes({ crossSite: 10 })).toEqual(['PERCH3081']);
  expect(codes({ crossSite: 10, requests: 1001 })).toEqual([]);
});

test('more that is wrong never makes less of a finding', () => {
  const number = fc.nat({ max: 10_000 });
  fc.assert(
    fc.property(number, number, number, number, fc.nat({ max: 100 }), (requests, issued, odd, cross, more) => {
      const figures = { requests: requests + odd + cross + issued, issued, oddRequestIds: odd, oddOnCanary: 0, crossSite: cross };
      const worse = { ...figures, requests: figures.requests + more, oddRequestIds: odd + more, crossSite: cross + more };
      expect(codes(worse)).toEqual(expect.arrayContaining(codes(figures)));
    }),
  );
});
