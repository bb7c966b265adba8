import { expect, test } from 'vitest';
import { DOCTOR_USER_AGENT, isSynthetic, PROBE_USER_AGENT, SYNTHETIC_USER_AGENT } from './synthetic-visitor.ts';

test('synthetic visitors are told by their user agent, in any version', () => {
  expect(isSynthetic(SYNTHETIC_USER_AGENT)).toBe(true);
  expect(isSynthetic(DOCTOR_USER_AGENT)).toBe(true);
  expect(isSynthetic(PROBE_USER_AGENT)).toBe(true);
  expect(isSynthetic('perch-demo-visitor/2')).toBe(true);
  expect(isSynthetic('Mozilla/5.0 (X11; Linux x86_64) perch-demo-visitor/1')).toBe(false);
  expect(isSynthetic('perch-demo-visitors')).toBe(false);
  expect(isSynthetic(undefined)).toBe(false);
});
