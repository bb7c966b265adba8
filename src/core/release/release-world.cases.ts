import type { RoutePlan } from '../weave/plan.ts';
import { type CanaryReleaseSpec, canaryReleaseSpec, type Version } from './canary-release.ts';
import { type Advance, advance } from './machine.ts';
import {
  NOT_ASKED,
  needsReadiness,
  type Observed,
  type RequestRate,
  type ScaleOrder,
  type VersionDeployment,
  type VersionReadiness,
  versionsToObserve,
} from './observed.ts';
import type { ReleaseEvent } from './release-event.ts';
import { samePlan } from './route-plan.ts';
import { scaleDownAt } from './scale-down.ts';
import type { ReleaseRequest, ReleaseStatus, RequestAction } from './status.ts';
import { describeVersion } from './version.ts';

/** A spec after defaults: reviews from v1 to v2 in steps of 10 minutes, unless said otherwise. */
export function specOf(changes: Partial<CanaryReleaseSpec> = {}): CanaryReleaseSpec {
  const spec = canaryReleaseSpec.parse({
    service: { host: 'reviews', port: 9080 },
    canary: { subset: 'v2' },
    stable: { subset: 'v1' },
    route: { adopt: { virtualService: 'reviews' } },
    steps: [
      { weight: 10, hold: '10m' },
      { weight: 50, hold: 'manual' },
      { weight: 100, hold: '10m' },
    ],
  });
  return { ...spec, ...changes };
}

/** The same without a field. */
export function without(spec: CanaryReleaseSpec, field: 'stable' | 'revision'): CanaryReleaseSpec {
  const { [field]: _, ...rest } = spec;
  return rest;
}

/** Names a subset. */
export function subset(name: string): Version {
  return { subset: name };
}

/** In milliseconds, as the world's clock counts. */
export const MINUTE = 60_000;

/**
 * A world around the release machine, for its tests: a clock, endpoints, a data plane that serves what it was last given when told to, and
 * a store that keeps the status as JSON. Each act ends with one look of the machine.
 */
export class ReleaseWorld {
  spec: CanaryReleaseSpec;
  generation = 1;
  now = Date.parse('2026-11-22T10:00:00.000Z');
  readonly ready = new Map<string, boolean | undefined>([
    ['v1', true],
    ['v2', true],
    ['v3', true],
  ]);
  /** Of versions whose endpoints are counted. */
  readonly endpoints = new Map<string, NonNullable<VersionReadiness['endpoints']>>();
  requestRate: RequestRate | undefined;
  problems: readonly string[] = [];
  baseVersion: Version | undefined = { subset: 'v1' };
  request: ReleaseRequest | undefined;
  deletion = false;
  /** What is still to be done until all of a version runs. */
  readonly rollouts = new Map<string, string>();
  /** The Deployments of versions; undefined: there is nothing to scale. */
  deployments: Map<string, readonly VersionDeployment[]> | undefined;
  /** Why nothing can be scaled, as whoever carries orders out says. */
  scaleFailure: string | undefined;
  /** What still leads to the former version, as a controller sees it. */
  formerUse: string | undefined;
  /** How it is known that routes are served, where something is said of that. */
  confirmation: Observed['confirmation'];
  /** What was to be scaled, as the orders came. */
  readonly orders: ScaleOrder[] = [];
  status: ReleaseStatus | undefined;
  routes: RoutePlan | undefined;
  wakeAt: number | undefined;
  /** Events of all looks. */
  readonly events: ReleaseEvent[] = [];
  #served: { readonly plan: RoutePlan | undefined } | undefined;
  #requests = 0;

  constructor(spec: CanaryReleaseSpec = specOf()) {
    this.spec = spec;
  }

  /** What the machine would be told now; nobody asks for readiness that it does not need. */
  observed(): Observed {
    const down = scaleDownAt(this.spec, this.status);
    const isNeeded = needsReadiness(this.spec, this.status, this.request) || (down !== undefined && this.now >= down);
    return this.observedWith((version) => (isNeeded ? this.#readiness(version) : NOT_ASKED));
  }

  /** The same with what is known of the versions. */
  observedWith(readiness: (version: Version) => VersionReadiness): Observed {
    const { canary, stable } = versionsToObserve(this.spec, this.status, this.request);
    return {
      canary: readiness(canary),
      stable: stable === undefined ? undefined : readiness(stable),
      requestRate: this.requestRate,
      problems: this.problems,
      ...(this.deployments === undefined ? {} : { scaling: this.formerUse === undefined ? {} : { formerUse: this.formerUse } }),
      baseVersion: this.baseVersion,
      routesConfirmed: this.#served !== undefined && samePlan(this.#served.plan, this.routes),
      ...(this.confirmation === undefined ? {} : { confirmation: this.confirmation }),
      request: this.request,
      deletion: this.deletion,
    };
  }

  /** What would follow from these observations, with nothing done about it. */
  advanceWith(observed: Observed): Advance {
    const input = { namespace: 'default', name: 'reviews', generation: this.generation, spec: this.spec };
    return advance(input, this.status, observed, this.now);
  }

  look(): Advance {
    const observed = this.observed();
    const result = this.advanceWith(observed);
    this.status = result.status;
    this.routes = result.routes;
    this.wakeAt = result.wakeAt;
    this.events.push(...result.events);
    // As a controller does: it looks again at once when the machine asks for it (to know other versions), and when what the machine wants
    // now is what is served already.
    const asksAgain = result.wakeAt !== undefined && result.wakeAt <= this.now;
    const confirms = !observed.routesConfirmed && this.observed().routesConfirmed;
    if (asksAgain || confirms) return this.look();
    // What is ordered is done by a pass that finds nothing else to do.
    const order = this.advanceWith(this.observed()).scale;
    return order === undefined ? result : this.#carryOut(order);
  }

  /** The Deployment gets its replicas at once, and its pods when somebody says that they are there. */
  #carryOut(order: ScaleOrder): Advance {
    const { scaleFailure: failure, deployments } = this;
    this.orders.push(order);
    const version = describeVersion(order.version);
    if (failure === undefined) {
      const scaled = (deployments?.get(version) ?? []).map((each) => ({ ...each, replicas: order.to, isAutoscaled: false }));
      deployments?.set(version, scaled);
      if (order.to > order.from)
        this.rollouts.set(version, `Deployment default/web-${version} is rolled out, ${order.from} of ${order.to}`);
    }
    const outcome = { order, ...(failure === undefined ? {} : { failure }) };
    const result = this.advanceWith({ ...this.observed(), scaling: { outcome } });
    this.status = result.status;
    this.routes = result.routes;
    this.events.push(...result.events);
    return this.look();
  }

  /** A version's one Deployment has so many replicas, and all of them run. Nobody looks before the first look. */
  setReplicas(version: string, replicas: number, changes: Partial<VersionDeployment> = {}): Advance | undefined {
    this.deployments ??= new Map();
    const deployment = { namespace: 'default', name: `web-${version}`, replicas, isAutoscaled: false, isLate: false, ...changes };
    this.deployments.set(version, [deployment]);
    this.rollouts.delete(version);
    return this.status === undefined ? undefined : this.look();
  }

  /** The pods that a version was scaled to run. */
  rollOut(version: string): Advance {
    this.rollouts.delete(version);
    return this.setReady(version, true);
  }

  /** The data plane takes over the routes. */
  serve(): Advance {
    this.#served = { plan: this.routes };
    return this.look();
  }

  pass(ms: number): Advance {
    this.now += ms;
    return this.look();
  }

  ask(action: RequestAction, by = 'ada', full?: boolean): Advance {
    this.request = { id: `r${++this.#requests}`, action, ...(full === undefined ? {} : { full }), by };
    return this.look();
  }

  setReady(version: string, ready: boolean | undefined): Advance {
    this.ready.set(version, ready);
    return this.look();
  }

  edit(spec: CanaryReleaseSpec): Advance {
    this.spec = spec;
    this.generation++;
    return this.look();
  }

  /** The process dies and comes back: only the stored status is left, nothing is served yet, and the clock may have been set back. */
  restart(clockSetBackMs = 0): Advance {
    this.status = this.status === undefined ? undefined : JSON.parse(JSON.stringify(this.status));
    this.#served = undefined;
    this.now -= clockSetBackMs;
    return this.look();
  }

  /** What people see: `Progressing 10 %`. */
  get place(): string {
    return `${this.status?.phase} ${this.status?.weight} %`;
  }

  get message(): string {
    return this.status?.message ?? '';
  }

  get phase(): string | undefined {
    return this.status?.phase;
  }

  #readiness(version: Version): VersionReadiness {
    const name = describeVersion(version);
    const ready = this.ready.get(name);
    const endpoints = this.endpoints.get(name);
    const reason = ready === true ? 'an endpoint accepts connections' : 'no endpoint accepts connections';
    const rollout = this.rollouts.get(name);
    const deployments = this.deployments?.get(name);
    return {
      ...{ ready, reason },
      ...(endpoints === undefined ? {} : { endpoints }),
      ...(rollout === undefined ? {} : { rollout }),
      ...(deployments === undefined ? {} : { deployments }),
    };
  }
}

/** A world whose release has confirmed its first step. */
export function started(spec = specOf()): ReleaseWorld {
  const world = new ReleaseWorld(spec);
  world.look();
  world.serve();
  return world;
}

/** A world whose release has succeeded. */
export function succeeded(spec = specOf({ steps: [{ weight: 100, hold: '1m' }] })): ReleaseWorld {
  const world = started(spec);
  world.pass(MINUTE);
  world.serve();
  return inPhase(world, 'Succeeded');
}

/** A world whose release was rolled back by request. */
export function rolledBack(spec = specOf()): ReleaseWorld {
  const world = started(spec);
  world.ask('rollback');
  world.serve();
  return inPhase(world, 'RolledBack');
}

function inPhase(world: ReleaseWorld, phase: string): ReleaseWorld {
  if (world.phase !== phase) throw new Error(`the world under test is ${world.phase}: ${world.message}`);
  return world;
}
