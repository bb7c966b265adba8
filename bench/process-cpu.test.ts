import { expect, test } from 'vitest';
import { coreTime } from './process-cpu.ts';

const STAT = `cpu  63 5 25 150 50 30 20 9 7 1
cpu0 30 2 10 100 40 4 8 5 7 1
cpu1 33 3 15 50 10 26 12 4 0 0
intr 12345
`;

test('a core has worked in user space, in the kernel and in interrupts, and was kept away by the hypervisor', () => {
  expect(coreTime(0, STAT)).toBeCloseTo(0.3 + 0.02 + 0.1 + 0.04 + 0.08 + 0.05);
  expect(coreTime(1, STAT)).toBeCloseTo(0.33 + 0.03 + 0.15 + 0.26 + 0.12 + 0.04);
});
