import { describe, expect, test } from 'vitest';
import { renderDiagnostic } from '../diagnostics/render.ts';
import { parseManifests } from '../source/manifests.ts';
import { cutoffOf } from '../visitor/bucket.ts';
import { isCanaryRelease, validateCanaryRelease } from './validate.ts';
import { findings, IDENTITY, specWith, validate } from './validation.cases.ts';

describe('a good release', () => {
  test('gets its defaults', () => {
    const { release, diagnostics } = validate(specWith());
    expect(diagnostics).toEqual([]);
    expect(release?.metadata).toEqual({ name: 'reviews', namespace: 'default' });
    expect(release?.spec).toMatchObject({
      visitorId: {
        issueOn: 'documents',
        propagate: ['baggage', 'cookie'],
        cookie: { name: 'perch', maxAge: '400d', path: '/', httpOnly: true, sameSite: 'Lax' },
      },
      affinity: { mode: 'visitor' },
      cohort: 'auto',
      cache: 'issuing',
      readiness: { grace: '30s', onCanaryUnavailable: 'rollback' },
    });
  });

  test.each([
    { canary: '{host: reviews-v2, port: 9081}' },
    { canary: '{host: reviews-v2}', stable: '' },
    { revision: '7' },
    { revision: '"2026-11-22"' },
    { cohort: '3' },
    { steps: '[{weight: 0.1, hold: 1h30m}, {weight: 0.2, hold: manual}, {weight: 99.9, hold: 90d}, {weight: 100, hold: 300ms}]' },
    { visitorId: '{cookie: {name: __Host-perch, secure: true, sameSite: None}, propagate: [baggage, cookie, requestId]}' },
    { visitorId: '{cookie: {name: __Host-perch}}' },
    { readiness: '{healthCheck: {path: "/ready?deep=1", interval: 100ms, timeout: 100ms}, capacity: 0.5, grace: 1s}' },
    { readiness: '{healthCheck: {interval: 1m, timeout: 1m, healthyThreshold: 1, unhealthyThreshold: 10}, grace: 1d}' },
    { visitorId: '{cookie: {name: __Secure-perch, domain: www.shop.example, secure: true, sameSite: None, partitioned: true}}' },
    { visitorId: '{cookie: {partitioned: true}}' },
    { visitorId: '{from: {header: x-tenant-id}}', optIn: '{}' },
    { steps: '[{match: [{headers: {x-team: {exact: qa}}}], hold: manual}, {weight: 100, hold: 1m}]' },
    { visitorId: '{issueAt: {virtualService: bookinfo}, issueOn: all}', cache: 'private' },
    { route: '{delegate: {name: reviews-perch, http: [{route: [{destination: {host: reviews}}]}]}}' },
    { route: '{managed: {hosts: [reviews], http: [{timeout: 2s, route: [{destination: {host: reviews, subset: v1}}]}]}}' },
    { route: '{managed: {name: web, hosts: ["*"], gateways: [web], http: [{match: [{uri: {prefix: /}}], redirect: {uri: /b}}]}}' },
  ])('%j', (changes) => {
    expect(findings(specWith(changes))).toEqual([]);
  });

  test('every weight of the 0.1 % grid changes the cutoff, so increasing weights are enough', () => {
    for (let tenths = 1; tenths <= 1000; tenths++) expect(cutoffOf(tenths / 10)).toBeGreaterThan(cutoffOf((tenths - 1) / 10));
  });
});

describe('all mistakes at once', () => {
  const text = `${IDENTITY}spec:
  service: {host: reviews, port: 0}
  canary: {subset: v2}
  stable: {subset: v2}
  stpes: []
  cache: privat
  visitorId:
    cookie:
      sameSite: None
      maxAge: 2h
      expires: never
`;

  test('in the order of the text, each with its place, what it concerns and a remedy', () => {
    const { diagnostics } = validate(text);
    expect(diagnostics.map(({ code, source }) => `${source?.line}:${source?.column} ${code}`)).toEqual([
      '4:1 PERCH1202',
      '5:34 PERCH1203',
      '6:3 PERCH1207',
      '8:3 PERCH1201',
      '9:10 PERCH1203',
      '12:17 PERCH1206',
      '14:7 PERCH1201',
    ]);
    for (const { object, hint, severity } of diagnostics) {
      expect([object, severity]).toEqual(['CanaryRelease default/reviews', 'error']);
      expect(hint).toBeTruthy();
    }
  });

  test('and this is how one looks', () => {
    const diagnostic = validate(text).diagnostics.find(({ path }) => path === 'spec.stpes');
    expect(diagnostic && renderDiagnostic(diagnostic, { text, color: false })).toBe(
      [
        'release.yaml:8:3  PERCH1201  there is no field spec.stpes',
        '   8 |   stpes: []',
        '     |   ^^^^^',
        '   fix  did you mean steps?',
      ].join('\n'),
    );
  });

  test('without the text there is no place, and everything else stays', () => {
    const { objects } = parseManifests(text, 'release.yaml');
    const object = objects[0]?.object;
    const diagnostics = object === undefined ? [] : validateCanaryRelease(object).diagnostics;
    expect(diagnostics.map(({ code }) => code).toSorted()).toEqual(
      validate(text)
        .diagnostics.map(({ code }) => code)
        .toSorted(),
    );
    expect(diagnostics.every(({ source }) => source === undefined)).toBe(true);
  });
});

test('isCanaryRelease knows ours in any version, and nobody else’s', () => {
  const object = (apiVersion: string, kind: string) => ({ apiVersion, kind, metadata: { name: 'a' } });
  expect(isCanaryRelease(object('perch.dev/v1beta9', 'CanaryRelease'))).toBe(true);
  expect(isCanaryRelease(object('other.dev/v1', 'CanaryRelease'))).toBe(false);
  expect(isCanaryRelease(object('perch.dev/v1alpha1', 'Canary'))).toBe(false);
});
