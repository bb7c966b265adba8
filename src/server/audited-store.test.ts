import { afterEach, beforeEach, expect, test } from 'vitest';
import { runtimeAdmission } from '../cluster/admission.ts';
import { openSqliteStore } from '../cluster/local/sqlite-store.ts';
import { canaryRelease, virtualService } from '../cluster/store.cases.ts';
import type { Store } from '../cluster/store.ts';
import { auditedStore } from './audited-store.ts';

const RELEASE = { kind: 'CanaryRelease', namespace: 'default', name: 'reviews' };
const ROUTES = { kind: 'VirtualService', namespace: 'default', name: 'reviews' };

let store: Store;
let lines: string[];

beforeEach(() => {
  const fail = (error: unknown): never => {
    throw error;
  };
  lines = [];
  const opened = openSqliteStore({ dataDir: ':memory:', now: Date.now, admission: runtimeAdmission, onListenerError: fail });
  store = auditedStore(opened, { audit: (line) => lines.push(line) }, () => Date.UTC(2026, 0, 1));
});

afterEach(() => store.close());

test('a line for each change that was asked for: when, who, what, and what came of it', async () => {
  await store.apply('files', [virtualService('v1'), canaryRelease()]);
  await store.apply('files', [virtualService('v1'), canaryRelease()]);
  await store.apply('api', [virtualService('v2'), canaryRelease()], { by: 'ann@laptop' });
  await store.apply('api', [{ ...canaryRelease(), spec: {} }], { by: 'ann@laptop' });
  await store.postRequest(RELEASE, { id: 'r1', action: 'rollback', by: 'bob' });
  await store.postRequest(RELEASE, { id: 'r2', action: 'promote', by: 'eve' });
  await store.requestDeletion(RELEASE, { restoreBase: true, by: 'ann' });
  await store.requestDeletion({ ...ROUTES, name: 'none' });
  await store.commit(RELEASE, { remove: true }, store.revision());
  expect(lines).toEqual([
    '2026-01-01T00:00:00.000Z files apply: VirtualService default/reviews created, CanaryRelease default/reviews created',
    '2026-01-01T00:00:00.000Z ann@laptop (api) apply: VirtualService default/reviews configured',
    expect.stringMatching(/^2026-01-01T00:00:00\.000Z ann@laptop \(api\) apply: refused, PERCH\d+ CanaryRelease default\/reviews spec/),
    '2026-01-01T00:00:00.000Z bob rollback CanaryRelease default/reviews (request r1): accepted',
    '2026-01-01T00:00:00.000Z eve promote CanaryRelease default/reviews (request r2): refused',
    '2026-01-01T00:00:00.000Z ann (api) delete --restore-base CanaryRelease default/reviews: accepted',
    '2026-01-01T00:00:00.000Z api delete VirtualService default/none: there is none',
  ]);
});

test('nothing that a user writes ends the line, colours it, turns it round or makes it endless', async () => {
  const by = `ann\n2026 audit: bob\u001b[31m\u202e\u2028\u0000${'x'.repeat(100_000)}`;
  await store.apply('api', [canaryRelease()], { by });
  await store.postRequest(RELEASE, { id: 'r1', action: 'pause', by });
  await store.requestDeletion({ ...RELEASE, name: by }, { by });
  expect(lines).toHaveLength(3);
  for (const line of lines) {
    expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(line).toContain('ann\\u{a}2026 audit: bob\\u{1b}[31m\\u{202e}\\u{2028}\\u{0}xxx');
    expect(line.length).toBeLessThan(1000);
  }
});

test('many objects are counted, and what could not be written is no change', async () => {
  await store.apply(
    'files',
    Array.from({ length: 30 }, (_, index) => virtualService('v1', `reviews-${index}`)),
  );
  expect(lines[0]).toMatch(/reviews-9 created, and 20 more$/);
  await store.close();
  await expect(store.apply('files', [virtualService('v1')])).rejects.toThrow();
  expect(lines).toHaveLength(1);
});
