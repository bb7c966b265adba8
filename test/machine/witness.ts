import { expect } from 'vitest';
import type { StoredObject } from '../../src/cluster/store.ts';
import { type CanaryReleaseSpec, canaryReleaseSpec, type Version } from '../../src/core/release/canary-release.ts';
import { parseDuration } from '../../src/core/release/durations.ts';
import type { ReleaseStatus } from '../../src/core/release/status.ts';
import { describeVersion } from '../../src/core/release/version.ts';
import type { Commit } from './crashing-store.ts';
import type { Lives, LivesWatch } from './lives.ts';
import { VisitorsSeen } from './visitors-seen.ts';

const isExposed = ({ phase }: ReleaseStatus): boolean => ['Progressing', 'Paused', 'Completing'].includes(phase);
const isPassing = ({ phase }: ReleaseStatus): boolean => ['Completing', 'RollingBack', 'Superseded'].includes(phase);

/**
 * A naive model of releases: it sees every write that took effect, in whatever life, and knows nothing of how the machine decides. It
 * holds what was written to what may follow from what was there.
 */
export class Witness implements LivesWatch {
  readonly visitors = new VisitorsSeen();
  /** How often what was seen. */
  readonly seen: Map<string, number>;
  readonly #lives: Lives;
  #status: ReleaseStatus | undefined;
  /** Every request that was handled, and what came of it. */
  readonly #handled = new Map<string, ReleaseStatus['lastRequest']>();
  /** The controller's clock, and how long the step was held by it. */
  #now: number;
  #heldMs = 0;
  /** At which the routes changed last. */
  #routesRevision = 0;
  /** Looks at what was written that are not over. */
  #looks: Promise<void>[] = [];

  constructor(lives: Lives, seen: Map<string, number>) {
    this.#lives = lives;
    this.seen = seen;
    this.#now = lives.wall;
  }

  get status(): ReleaseStatus | undefined {
    return this.#status;
  }

  begins(now: number): void {
    this.elapsed(now - this.#now);
  }

  /** Time has passed by the controller's clock. */
  elapsed(ms: number): void {
    this.#now += ms;
    if (this.#status?.phase === 'Progressing' && this.#status.suspended !== true) this.#heldMs += ms;
  }

  written(): void {
    const look = this.#lives.disk.list().then((objects) => this.visitors.look(objects));
    this.#looks.push(look.catch((error: unknown) => void this.#lives.failures.push(error)));
  }

  /** Throws the first that was wrong since it was asked last. */
  async assertAll(): Promise<void> {
    await Promise.all(this.#looks.splice(0));
    const [failure] = this.#lives.failures;
    if (failure !== undefined) throw failure;
  }

  committed({ before, change, revision, servedRevision }: Commit): void {
    const isServed = servedRevision >= this.#routesRevision;
    if ((change.routes ?? []).length > 0) this.#routesRevision = revision;
    const next = change.status;
    if (change.remove === true) {
      this.#status = undefined;
      this.visitors.forget();
      this.count('removed');
    }
    if (next === undefined) return;
    const spec = canaryReleaseSpec.parse(before.base.spec);
    // No write is lost, and none is done twice.
    expect(before.status).toEqual(this.#status);
    this.#status = next;
    this.#checkRequest(before, next);
    const asked = next.lastRequest?.id !== before.status?.lastRequest?.id ? next.lastRequest : undefined;
    const done = asked?.outcome === 'done' ? asked : undefined;
    if (before.status !== undefined) {
      this.#checkForward(before.status, next, spec, done);
      this.#checkBack(before.status, next, done);
      if (isPassing(before.status) && next.phase !== before.status.phase && next.phase !== 'RollingBack') expect(isServed).toBe(true);
    }
    this.#checkStart(before.status, next, spec);
    const isSameStep = before.status?.started === next.started && before.status.weight === next.weight;
    if (next.stepStartedAt !== undefined && !(isSameStep && before.status?.stepStartedAt !== undefined)) {
      expect(isServed, 'a hold begins once its routes are served').toBe(true);
      this.#heldMs = 0;
    }
    if (next.phase !== before.status?.phase) this.count(`phase ${next.phase}`);
  }

  count(what: string): void {
    this.seen.set(what, (this.seen.get(what) ?? 0) + 1);
  }

  /** A request is handled once, the one that is pending, and what came of it stays. */
  #checkRequest({ status, request }: StoredObject, next: ReleaseStatus): void {
    const last = next.lastRequest;
    if (last === undefined) return;
    if (last.id === status?.lastRequest?.id) {
      expect(last).toEqual(status.lastRequest);
      return;
    }
    expect(last.id).toBe(request?.id);
    expect(this.#handled.has(last.id), `${last.action} is handled twice`).toBe(false);
    this.#handled.set(last.id, last);
    this.count(`${last.action}${last.full ? ' --full' : ''} ${last.outcome}`);
  }

  /** Steps come one by one, each after its whole hold unless someone asked, and only to a canary that is there. */
  #checkForward(before: ReleaseStatus, next: ReleaseStatus, spec: CanaryReleaseSpec, done: ReleaseStatus['lastRequest']): void {
    if (!isExposed(before) || next.started !== before.started || before.phase === 'Completing') return;
    const completes = next.phase === 'Completing' || next.phase === 'Succeeded';
    if (next.weight <= before.weight && !completes) return;
    expect(spec.suspend).toBe(false);
    expect(this.#isReady(before.canary)).toBe(true);
    if (done?.full === true) return;
    expect(next.weight).toBe(spec.steps.find(({ weight }) => weight > before.weight)?.weight ?? 100);
    const step = spec.steps.find(({ weight }) => weight === before.weight);
    if (done?.action === 'promote' || done?.action === 'resume' || step === undefined) return;
    expect(step.hold).not.toBe('manual');
    expect(this.#heldMs).toBeGreaterThanOrEqual(parseDuration(step.hold) ?? Number.NaN);
    this.count('hold over');
  }

  /** Everyone goes back for a reason only, and only to a version that is there. */
  #checkBack(before: ReleaseStatus, next: ReleaseStatus, done: ReleaseStatus['lastRequest']): void {
    const goesBack = (next.phase === 'RollingBack' || next.phase === 'Superseded') && before.phase !== next.phase;
    if (!goesBack) {
      if (!isExposed(before)) return;
      // What has ended, or what may begin after it, has everyone on the canary: it is the live version.
      if (isExposed(next) && next.started === before.started) expect(next.weight).toBeGreaterThanOrEqual(before.weight);
      else expect(next.liveVersion).toEqual(before.canary);
      return;
    }
    expect(this.#isReady(next.liveVersion)).toBe(true);
    expect(next.liveVersion).toEqual(before.stable);
    this.count(`${next.phase} from ${before.phase}`);
    if (next.phase === 'Superseded') {
      expect(isExposed(before)).toBe(true);
    } else if (done?.action !== 'rollback') {
      expect(this.#isReady(before.canary)).not.toBe(true);
      expect(this.#now - Date.parse(before.canaryLostSince ?? '')).toBeGreaterThanOrEqual(30_000);
    }
  }

  /** A release starts at its first step, when nobody is on a canary, and both versions are there. */
  #checkStart(before: ReleaseStatus | undefined, next: ReleaseStatus, spec: CanaryReleaseSpec): void {
    const started = before?.started ?? 0;
    if (next.started === started) return;
    expect(next.started).toBe(started + 1);
    expect(spec.suspend).toBe(false);
    expect(next.weight).toBe(spec.steps[0]?.weight);
    expect(before !== undefined && isExposed(before) && before.phase !== 'Completing').toBe(false);
    expect([this.#isReady(next.stable), this.#isReady(next.canary)]).toEqual([true, true]);
    this.count('start');
  }

  #isReady(version: Version | undefined): boolean | undefined {
    return version === undefined ? undefined : this.#lives.ready.get(describeVersion(version));
  }
}
