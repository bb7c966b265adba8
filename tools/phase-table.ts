import { PHASES } from '../src/core/release/phase.ts';
import { MINUTE, ReleaseWorld, specOf, started, subset, without } from '../src/core/release/release-world.cases.ts';
import { REQUEST_ACTIONS } from '../src/core/release/requests.ts';
import type { Phase } from '../src/core/release/status.ts';
import { describeVersion } from '../src/core/release/version.ts';

/** Something that can happen to a release, whatever phase it is in. */
export interface PhaseEvent {
  readonly name: string;
  readonly kind: 'request' | 'world' | 'spec' | 'deletion';
  /** Lets it happen; what it begins with is a release that is at rest in the phase. */
  readonly happen: (world: ReleaseWorld) => void;
  /** Whether the routes of the phase are yet to be served, or its release is suspended, before it happens. */
  readonly before?: 'unserved' | 'suspended';
}

/** What came of an event: the phase after it, and what happened, in words of the machine. */
export interface Outcome {
  readonly from: Phase;
  readonly event: PhaseEvent;
  readonly to: Phase;
  readonly isRefused: boolean;
  readonly text: string;
}

const request = (action: (typeof REQUEST_ACTIONS)[number], full?: true): PhaseEvent => ({
  name: full ? `${action} --full` : action,
  kind: 'request',
  happen: (world) => world.ask(action, 'ada', full),
});
const inWorld = (name: string, happen: PhaseEvent['happen'], before?: PhaseEvent['before']): PhaseEvent => ({
  name,
  kind: 'world',
  happen,
  ...(before === undefined ? {} : { before }),
});
const inSpec = (name: string, change: Parameters<typeof specOf>[0], before?: PhaseEvent['before']): PhaseEvent => ({
  name,
  kind: 'spec',
  happen: (world) => {
    const spec = { ...world.spec, ...change };
    // From the second release on stable follows the live version.
    world.edit(world.status?.liveVersion === undefined ? spec : without(spec, 'stable'));
  },
  ...(before === undefined ? {} : { before }),
});

/** Every event of the table, in its order. */
export const EVENTS: readonly PhaseEvent[] = [
  ...REQUEST_ACTIONS.flatMap((action) => (action === 'promote' ? [request(action), request(action, true)] : [request(action)])),
  inWorld('all that was missing is there', (world) => {
    world.problems = [];
    for (const version of ['v1', 'v2', 'v3']) world.setReady(version, true);
  }),
  inWorld('its routes are served', (world) => world.serve(), 'unserved'),
  inWorld('the hold is over', (world) => world.pass(10 * MINUTE)),
  inWorld('the canary is lost for 30 s', (world) => {
    world.setReady('v2', false);
    world.pass(30_000);
  }),
  inWorld('stable is lost for 30 s', (world) => {
    world.setReady('v1', false);
    world.pass(30_000);
  }),
  inWorld('routes cannot be woven', (world) => {
    world.problems = ['VirtualService reviews is gone'];
    world.pass(10 * MINUTE);
  }),
  inSpec('another canary', { canary: subset('v3') }),
  inSpec('another revision', { revision: 8 }),
  inSpec('the step is taken out', { steps: [{ weight: 100, hold: '10m' }] }),
  inSpec('suspend', { suspend: true }),
  inSpec('suspend is taken away', { suspend: false }, 'suspended'),
  {
    name: 'deletion',
    kind: 'deletion',
    happen: (world) => {
      world.deletion = true;
      world.look();
    },
  },
];

/** A release from v1 to v2 that is at rest in the phase, on the first of its steps where it is on any. */
export function worldIn(phase: Phase, before?: PhaseEvent['before']): ReleaseWorld {
  const world = begin(phase, before === 'unserved');
  if (before === 'suspended') world.edit({ ...world.spec, suspend: true });
  return world;
}

function begin(phase: Phase, isUnserved: boolean): ReleaseWorld {
  if (phase === 'Pending') {
    const world = new ReleaseWorld();
    world.ready.set('v2', false);
    world.look();
    return world;
  }
  if (isUnserved && (phase === 'Progressing' || phase === 'Paused')) {
    const world = new ReleaseWorld();
    world.look();
    if (phase === 'Paused') world.ask('pause');
    return world;
  }
  const world = started();
  switch (phase) {
    case 'Progressing':
      break;
    case 'Paused':
      world.ask('pause');
      break;
    case 'Completing':
    case 'Succeeded':
      world.ask('promote', 'ada', true);
      break;
    case 'RollingBack':
    case 'RolledBack':
      world.ask('rollback');
      break;
    case 'Superseded':
      world.edit(specOf({ canary: subset('v3') }));
      break;
  }
  if (phase === 'Succeeded' || phase === 'RolledBack') world.serve();
  return world;
}

/** Lets the event happen to a release in the phase, by the machine itself. */
export function outcomeOf(from: Phase, event: PhaseEvent): Outcome {
  const world = worldIn(from, event.before);
  const before = world.status;
  const told = world.events.length;
  event.happen(world);
  const { status } = world;
  if (status === undefined) throw new Error(`nothing is known of the release after ${event.name} in ${from}`);
  const isRefused = event.kind === 'request' && status.lastRequest?.outcome === 'refused';
  const messages = world.events.slice(told).map(({ message }) => message);
  const text = (): string => {
    if (event.kind === 'deletion') {
      return world.routes?.kind === 'settled'
        ? `leaves, with everyone at ${describeVersion(world.routes.live)}`
        : 'leaves; the routes are as their owner wrote them';
    }
    if (isRefused) return status.lastRequest?.message ?? '';
    if (messages.length > 0) return messages.join('; ');
    return status.message === before?.message ? 'nothing' : status.message;
  };
  return { from, event, to: status.phase, isRefused, text: text().replaceAll(/held until \S+Z/g, 'held') };
}

/** Every phase with every event. */
export function phaseTable(): readonly Outcome[] {
  return PHASES.flatMap((phase) => EVENTS.map((event) => outcomeOf(phase, event)));
}
