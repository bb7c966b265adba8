import { expect, test } from 'vitest';
import { widthOf } from '../../core/diagnostics/wrap.ts';
import { plainStyle } from '../terminal/style.ts';
import { demoBanner } from './demo-banner.ts';

const FACTS = { version: '0.1.0', gatewayPort: 8080, apiPort: 7070, isDefaultApi: true, visitors: 200, mode: 'visitor' } as const;

test('the first screen: addresses that work and commands to try', () => {
  expect(demoBanner(FACTS, plainStyle)).toEqual([
    '',
    '  perch 0.1.0 · demo · everything runs on this machine, Ctrl-C ends it',
    '',
    '  Bookinfo    http://localhost:8080/productpage',
    '              refresh: you stay on your version until your turn comes',
    '  Dashboard   http://localhost:7070',
    '  API         http://localhost:7070/api/v1/releases',
    '  Visitors    200 synthetic ones keep it lively (--no-visitors)',
    '  Try         npx perch rollback reviews',
    '              or promote, pause, resume, status --watch, describe release',
  ]);
});

test('the article’s scheme is played otherwise', () => {
  const lines = demoBanner({ ...FACTS, mode: 'canaryOnly' }, plainStyle);
  expect(lines).toContain('              refresh until reviews v2 appears: from then on it stays');
});

test('on another port the command says where, and 80 columns are enough', () => {
  const lines = demoBanner({ ...FACTS, gatewayPort: 43_210, apiPort: 54_321, isDefaultApi: false, visitors: 0 }, plainStyle);
  expect(lines).toContain('  Try         npx perch rollback reviews --server http://localhost:54321');
  expect(lines).toContain('  Visitors    only real ones: you');
  for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(80);
});
