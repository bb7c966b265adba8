import type { CanaryReleaseSpec } from '../../src/core/release/canary-release.ts';
import { MINUTE, type ReleaseWorld, specOf, started } from '../../src/core/release/release-world.cases.ts';
import { compileRouting } from '../../src/core/routing/compile.ts';
import type { Random } from '../../src/core/simulation/random.ts';
import { parseManifests } from '../../src/core/source/manifests.ts';
import type { Offset } from '../../src/core/visitor/bucket.ts';
import { edgeInput, gatewayOf } from '../../src/core/weave/fixtures.cases.ts';
import type { RoutePlan } from '../../src/core/weave/plan.ts';
import { weaveRelease } from '../../src/core/weave/weave-virtual-service.ts';
import { selectAt, service, subsets } from '../harness/routes.ts';

const VERSIONS = ['v1', 'v2'];
const WEB = [service('web', 8080, VERSIONS), subsets('web', VERSIONS)].join('---\n');

/** A release in one of its steps, as the release machine made it and a data plane confirmed it. */
export interface Moment {
  readonly weight: number;
  readonly cutoff: number;
  readonly offset: Offset;
  /** What is to be served now. */
  readonly plan: RoutePlan;
}

/** A ramp of so many steps with weights from `lowest` percent on, in tenths, and then 100 %; holds are timed or manual. */
export function seededRamp(steps: number, random: Random, { lowest = 0.1, highest = 99.9 } = {}): Pick<CanaryReleaseSpec, 'steps'> {
  const tenths = new Set<number>();
  while (tenths.size < steps - 1) tenths.add(Math.round(10 * (lowest + random() * (highest - lowest))));
  const weights = [...tenths].toSorted((a, b) => a - b).map((each) => each / 10);
  return { steps: [...weights, 100].map((weight) => ({ weight, hold: random() < 0.5 ? 'manual' : '1m' })) };
}

/**
 * The steps of a release one after the other, each once it is confirmed and something happened to it that must not move anyone: it was paused
 * and resumed, or the process died and came back, with its clock set back or not.
 */
export function* momentsOf(changes: Partial<CanaryReleaseSpec>, random: Random): Generator<Moment, void, undefined> {
  const spec = specOf(changes);
  const world = started(spec);
  for (const { weight, hold } of spec.steps) {
    disturb(world, hold, random);
    const { cutoff, offset, weight: found } = world.status ?? {};
    if (found !== weight || cutoff === undefined || offset === undefined || world.routes === undefined)
      throw new Error(`${weight} % is asked for, and this is there: ${world.place}: ${world.message}`);
    yield { weight, cutoff, offset, plan: world.routes };
    if (hold === 'manual') world.ask('promote');
    // A clock that was set back makes a hold longer, never shorter.
    for (let minute = 0; minute < 10 && world.status?.weight === weight && world.phase !== 'Completing'; minute++) world.pass(MINUTE);
    world.serve();
  }
  if (world.phase !== 'Succeeded') throw new Error(`the release ends as ${world.place}: ${world.message}`);
}

function disturb(world: ReleaseWorld, hold: string, random: Random): void {
  const kind = Math.floor(random() * 4);
  // To resume a manual hold is to promote.
  if (kind === 1 && hold !== 'manual') {
    world.ask('pause');
    world.serve();
    world.ask('resume');
    world.serve();
  }
  if (kind >= 2) {
    world.restart(kind === 3 ? Math.floor(random() * 3 * MINUTE) : 0);
    world.serve();
  }
}

/** The version that answers a page of the released service under a plan: woven, compiled and selected from as the gateway does. */
export function servedUnder(plan: RoutePlan): (headers: Readonly<Record<string, string>>) => string | undefined {
  const base = [{ route: [{ destination: { host: 'web', subset: 'v1' } }] }];
  const [route] = weaveRelease({ ...edgeInput(base), plan }).routes;
  if (route === undefined) throw new Error('nothing is woven');
  const { objects } = parseManifests(WEB, 'web.yaml');
  const { table } = compileRouting([gatewayOf(), ...objects.map(({ object }) => object), route.virtualService]);
  return (headers) => {
    const selection = selectAt(table, 'ingress 80', { line: 'GET http://web.test/', headers: { accept: 'text/html', ...headers } });
    return selection.kind === 'forward' ? selection.destination.subset : selection.kind;
  };
}
