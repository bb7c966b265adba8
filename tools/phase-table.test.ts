import { describe, expect, test } from 'vitest';
import { PHASES } from '../src/core/release/phase.ts';
import { REQUEST_ACTIONS } from '../src/core/release/requests.ts';
import { phaseReference } from './phase-reference.ts';
import { EVENTS, outcomeOf, phaseTable, worldIn } from './phase-table.ts';

describe.each(PHASES)('%s', (phase) => {
  test.each([undefined, 'unserved', 'suspended'] as const)('the release that events happen to is in it, at rest: %s', (before) => {
    const world = worldIn(phase, before);
    expect(world.phase).toBe(phase);
    expect(world.look().events).toEqual([]);
    expect(world.phase).toBe(phase);
  });

  test.each(EVENTS)('$name leads to a phase, comes to rest there, and says what happened', (event) => {
    const { to, isRefused, text } = outcomeOf(phase, event);
    expect(PHASES).toContain(to);
    expect(text).not.toBe('');
    if (isRefused) expect(to).toBe(phase);
    const world = worldIn(phase, event.before);
    event.happen(world);
    const { status } = world;
    expect(world.look().events).toEqual([]);
    expect(world.status).toEqual(status);
  });
});

test('no pair of phase and event is left out, and every request is among the events', () => {
  expect(phaseTable()).toHaveLength(PHASES.length * EVENTS.length);
  const asked = EVENTS.filter(({ kind }) => kind === 'request').map(({ name }) => name.split(' ')[0]);
  expect([...new Set(asked)]).toEqual([...REQUEST_ACTIONS]);
  const page = phaseReference();
  for (const phase of PHASES) {
    const [, section = ''] = page.split(`\n## In ${phase}\n`);
    const rows = (section.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('| '));
    expect(rows.slice(1).map((row) => row.split(' | ')[0]?.slice(2))).toEqual(EVENTS.map(({ name }) => name));
  }
});

test('no event is idle in all phases, and each phase is left by some', () => {
  const table = phaseTable();
  for (const event of EVENTS) expect(table.filter((each) => each.event === event && each.text !== 'nothing').length).toBeGreaterThan(0);
  for (const phase of PHASES) expect(table.filter(({ from, to }) => from === phase && to !== phase).length, phase).toBeGreaterThan(0);
  expect(new Set(table.map(({ to }) => to))).toEqual(new Set(PHASES));
});
