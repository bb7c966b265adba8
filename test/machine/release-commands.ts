import fc from 'fast-check';
import { expect } from 'vitest';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import type { RequestAction } from '../../src/core/release/status.ts';
import { describeVersion } from '../../src/core/release/version.ts';
import { bookinfo, endpoints, RELEASE, REVIEWS, release, reviewsRoutes } from '../controller/bookinfo-objects.ts';
import type { Moment } from './crashing-store.ts';
import { Lives } from './lives.ts';
import { Witness } from './witness.ts';

/** What the owner of the release wants, as far as it changes. */
export interface Wanted {
  readonly canary: 'v2' | 'v3';
  readonly revision: number;
  readonly suspend: boolean;
  readonly ramp: keyof typeof RAMPS;
}

/** A weight has one hold in all of them, so that an edit of the steps leaves no doubt about what has to be held. */
const RAMPS = {
  long: [step(10, '5m'), step(30, '5m'), step(50, 'manual'), step(100, '1m')],
  short: [step(10, '5m'), step(50, 'manual'), step(100, '1m')],
  later: [step(30, '5m'), step(75, '1m'), step(100, '1m')],
} as const;

function step(weight: number, hold: string): { readonly weight: number; readonly hold: string } {
  return { weight, hold };
}

/** Something that happens. */
export type Act =
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'serve' }
  | { readonly do: 'ask'; readonly action: RequestAction; readonly full?: true }
  | { readonly do: 'ready'; readonly version: string; readonly ready: boolean | undefined }
  | { readonly do: 'want'; readonly change: Partial<Wanted> }
  | { readonly do: 'base'; readonly seconds: number }
  | { readonly do: 'setClock'; readonly ms: number }
  | { readonly do: 'restart' }
  | { readonly do: 'remove'; readonly restoreBase: boolean };

/** The process dies at the write after so many others, if the act leads to so many. */
export interface Crash {
  readonly writes: number;
  readonly moment: Moment;
}

const MINUTE = 60_000;

/** Releases, what happens to them, and a witness. */
export class ReleaseLives {
  readonly lives: Lives;
  readonly witness: Witness;
  #wanted: Wanted = { canary: 'v2', revision: 1, suspend: false, ramp: 'long' };
  #requests = 0;

  private constructor(seen: Map<string, number>) {
    let witness: Witness | undefined;
    this.lives = new Lives({
      committed: (commit) => witness?.committed(commit),
      written: () => witness?.written(),
      begins: (now) => witness?.begins(now),
    });
    witness = new Witness(this.lives, seen);
    this.witness = witness;
  }

  static async begin(seen: Map<string, number>): Promise<ReleaseLives> {
    const self = new ReleaseLives(seen);
    await self.#apply(...bookinfo, reviewsRoutes(), endpoints({ v1: 9001, v2: 9002, v3: 9003 }));
    await self.#want({});
    return self;
  }

  async perform(act: Act, crash: Crash | undefined): Promise<void> {
    if (crash !== undefined) this.lives.arm(crash.writes, crash.moment);
    await this.#do(act);
    await this.lives.look();
    this.lives.disarm();
    await this.witness.assertAll();
    await this.#assertAnswered();
  }

  /** Left alone, with all that it needs, a release comes to its end, wherever it was. */
  async assertEnds(): Promise<void> {
    for (const version of ['v1', 'v2', 'v3']) this.lives.ready.set(version, true);
    await this.#want({ suspend: false });
    for (let turns = 0; this.witness.status?.phase !== 'Succeeded' || this.#isAnother(); turns++) {
      if (turns > 30) expect.fail(`still ${JSON.stringify(this.witness.status)}`);
      const { phase } = this.witness.status ?? {};
      if (phase === 'Paused') await this.#ask('promote');
      if (phase === 'RolledBack') await this.#ask('retry');
      await this.lives.serve();
      await this.#pass(5 * MINUTE);
    }
    await this.witness.assertAll();
  }

  /** And what it came to can be undone, where a version before is known; it stays undone. */
  async assertUndone(crash: Crash | undefined): Promise<void> {
    const { stable } = this.witness.status ?? {};
    await this.perform({ do: 'ask', action: 'rollback' }, crash);
    if (stable === undefined) {
      expect(this.witness.status).toMatchObject({ phase: 'Succeeded', lastRequest: { outcome: 'refused' } });
      return;
    }
    for (let turns = 0; this.witness.status?.phase !== 'RolledBack'; turns++) {
      if (turns > 10) expect.fail(`still ${JSON.stringify(this.witness.status)}`);
      await this.lives.serve();
      await this.#pass(MINUTE);
    }
    await this.#pass(5 * MINUTE);
    expect(this.witness.status).toMatchObject({ phase: 'RolledBack', liveVersion: stable });
    await this.witness.assertAll();
  }

  #isAnother(): boolean {
    return describeVersion(this.witness.status?.liveVersion ?? { subset: '?' }) !== this.#wanted.canary;
  }

  async #do(act: Act): Promise<void> {
    const { lives } = this;
    switch (act.do) {
      case 'pass':
        return await this.#pass(act.ms);
      case 'serve':
        return await lives.serve();
      case 'ask':
        return await this.#ask(act.action, act.full);
      case 'ready':
        lives.ready.set(act.version, act.ready);
        return;
      case 'want':
        return await this.#want(act.change);
      case 'base':
        return await this.#editBase(act.seconds);
      case 'setClock':
        lives.wall += act.ms;
        return;
      case 'restart':
        return await lives.restart();
      case 'remove':
        return await this.#remove(act.restoreBase);
    }
  }

  async #pass(ms: number): Promise<void> {
    this.lives.wall += ms;
    this.lives.monotonic += ms;
    this.witness.elapsed(ms);
    await this.lives.look();
  }

  /** A rollback that waits is never overwritten; everything else is accepted. */
  async #ask(action: RequestAction, full?: true): Promise<void> {
    const before = await this.lives.disk.get(RELEASE);
    if (before === undefined) return;
    const stands = before.request?.action === 'rollback' && before.request.id !== before.status?.lastRequest?.id;
    const request = { id: `request-${++this.#requests}`, action, ...(full === undefined ? {} : { full }), by: 'ann' };
    const isAccepted = await this.lives.write((store) => store.postRequest(RELEASE, request));
    expect(isAccepted, action).toBe(!stands);
  }

  /** What is asked for is answered at once, unless it is not known whether a version is ready. */
  async #assertAnswered(): Promise<void> {
    const stored = await this.lives.disk.get(RELEASE);
    if (stored?.request === undefined || [...this.lives.ready.values()].includes(undefined)) return;
    expect(stored.status?.lastRequest?.id).toBe(stored.request.id);
  }

  async #want(change: Partial<Wanted>): Promise<void> {
    this.#wanted = { ...this.#wanted, ...change };
    const { canary, revision, suspend, ramp } = this.#wanted;
    const live = this.witness.status?.liveVersion;
    // The first release has to name the version before; from then on it is the live one.
    const stable = live === undefined ? { stable: { subset: await this.#baseSubset() } } : { stable: undefined };
    const { stable: named, ...spec } = { ...stable, canary: { subset: canary }, revision, suspend, steps: RAMPS[ramp] };
    const { stable: _, ...rest } = release(spec).spec as Record<string, unknown>;
    const isSame = named !== undefined && named.subset === canary;
    await this.#apply({ ...release(), spec: { ...rest, ...(named === undefined || isSame ? {} : { stable: named }) } });
  }

  /** The version to which the owner's rules lead. */
  async #baseSubset(): Promise<string> {
    const base = (await this.lives.disk.get(REVIEWS))?.base;
    return JSON.stringify(base?.spec).match(/"subset":"(v\d)"/)?.[1] ?? expect.fail('no subset in the base');
  }

  async #editBase(seconds: number): Promise<void> {
    const destination = { host: 'reviews', subset: await this.#baseSubset() };
    await this.#apply(reviewsRoutes([{ timeout: `${seconds}s`, route: [{ destination }] }]));
  }

  /** The release leaves, whole or not at all, and comes back without a memory. */
  async #remove(restoreBase: boolean): Promise<void> {
    await this.lives.write((store) => store.requestDeletion(RELEASE, { restoreBase }));
    const left = await this.lives.disk.get(RELEASE);
    // It waits where it is not known, or not so, that there is a version to leave everyone at.
    if (left === undefined) {
      this.witness.visitors.assertTogether(await this.lives.disk.list());
      const routes = (await this.lives.disk.list('VirtualService')).map(({ served, base }) => [served.spec, base.spec]);
      expect(JSON.stringify(routes)).not.toContain('perch:default/reviews:');
      for (const [served, base] of routes) expect(served).toEqual(base);
      this.witness.count('left');
    }
    await this.#want({});
  }

  async #apply(...objects: readonly KubeObject[]): Promise<void> {
    const result = await this.lives.write((store) => store.apply('files', objects));
    if (!result.ok) expect.fail(result.diagnostics.map(({ message }) => message).join('; '));
  }
}

const chosen = <T extends Act>(weight: number, ...acts: readonly T[]) => ({ weight, arbitrary: fc.constantFrom<Act>(...acts) });
const ask = (action: RequestAction): Act => ({ do: 'ask', action });

/** Anything that may happen, each as often as makes releases interesting. */
export const anyAct: fc.Arbitrary<Act> = fc.oneof(
  chosen(8, { do: 'serve' }),
  chosen(6, ...[1, 20_000, MINUTE - 1, MINUTE, 5 * MINUTE - 1, 5 * MINUTE].map((ms): Act => ({ do: 'pass', ms }))),
  chosen(4, ask('promote'), ask('promote'), { do: 'ask', action: 'promote', full: true }, ask('pause'), ask('resume')),
  chosen(2, ask('rollback'), ask('retry'), ask('retry')),
  chosen(4, ...['v1', 'v1', 'v2', 'v3'].flatMap((version) => [true, true, false].map((ready): Act => ({ do: 'ready', version, ready })))),
  chosen(1, ...['v1', 'v2', 'v3'].map((version): Act => ({ do: 'ready', version, ready: undefined })), {
    do: 'ready',
    version: 'v1',
    ready: true,
  }),
  chosen(3, ...(['v2', 'v3'] as const).map((canary): Act => ({ do: 'want', change: { canary } })), { do: 'want', change: { revision: 2 } }),
  chosen(
    2,
    { do: 'want', change: { suspend: true } },
    { do: 'want', change: { suspend: false } },
    { do: 'want', change: { suspend: false } },
  ),
  chosen(1, ...(['long', 'short', 'later'] as const).map((ramp): Act => ({ do: 'want', change: { ramp } }))),
  chosen(1, { do: 'base', seconds: 3 }, { do: 'base', seconds: 7 }),
  chosen(2, ...[-24 * 60, -7, 2, 4, 60].map((minutes): Act => ({ do: 'setClock', ms: minutes * MINUTE }))),
  chosen(1, { do: 'restart' }),
  chosen(1, { do: 'remove', restoreBase: false }, { do: 'remove', restoreBase: true }),
);

/** Most acts end the process at one of their writes. */
export const anyCrash: fc.Arbitrary<Crash | undefined> = fc.option(
  fc.record({ writes: fc.constantFrom(0, 0, 1, 2), moment: fc.constantFrom<Moment>('before', 'after') }),
  { nil: undefined, freq: 4 },
);
