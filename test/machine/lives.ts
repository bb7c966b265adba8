import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { runtimeAdmission } from '../../src/cluster/admission.ts';
import { openSqliteStore } from '../../src/cluster/local/sqlite-store.ts';
import type { Readiness, ServiceAddress } from '../../src/cluster/readiness.ts';
import type { Store } from '../../src/cluster/store.ts';
import { latestRecordedTime } from '../../src/controller/clock.ts';
import { type Controller, startController } from '../../src/controller/controller.ts';
import { describeVersion } from '../../src/core/release/version.ts';
import { type Commit, Crashed, type CrashingStore, crashingStore, type Moment } from './crashing-store.ts';

/** What is told of the lives of a controller. */
export interface LivesWatch {
  committed(commit: Commit): void;
  /** Something was written, by whomever: the store as it is on disk. */
  written(): void;
  /** A life begins, at this time of its own clock: the wall's, but never before the latest that is on record. */
  begins(now: number): void;
}

/**
 * The real controller over a real SQLite file, in one life after the other: where a write was the last of a life, controller and store are
 * thrown away and the next ones open the file. Time, endpoints and the data plane are set by hand.
 */
export class Lives {
  /** Milliseconds: what the wall clock says, and what has really passed. */
  wall = Date.parse('2026-11-22T10:00:00.000Z');
  monotonic = 0;
  readonly ready = new Map<string, boolean | undefined>([
    ['v1', true],
    ['v2', true],
    ['v3', true],
  ]);
  crashes = 0;
  /** Passes that threw something else than a crash. */
  readonly failures: unknown[] = [];
  /** The disk itself, past the crashes. */
  disk!: Store;
  readonly #dataDir = mkdtempSync(join(tmpdir(), 'perch-machine-'));
  readonly #watch: LivesWatch;
  #crashing!: CrashingStore;
  #controller!: Controller;
  #readinessChanged = new Set<() => void>();

  constructor(watch: LivesWatch) {
    this.#watch = watch;
    this.#begin(0);
  }

  async close(): Promise<void> {
    await this.#end();
    rmSync(this.#dataDir, { recursive: true });
  }

  /** Writes as a client does, who asks again where no answer came; then lets everything come to rest. */
  async write<T>(work: (store: Store) => Promise<T>): Promise<T> {
    for (;;) {
      try {
        const result = await work(this.#crashing.store);
        await this.rest();
        return result;
      } catch (error) {
        if (!(error instanceof Crashed)) throw error;
        await this.rest();
      }
    }
  }

  /** Ends this life at the write after so many others, if it comes to that. */
  arm(writes: number, moment: Moment): void {
    this.#crashing.arm(writes, moment);
  }

  disarm(): void {
    this.#crashing.disarm();
  }

  /** Has every release looked at, and waits until nobody does anything any more. */
  async look(): Promise<void> {
    for (const changed of this.#readinessChanged) changed();
    await this.rest();
  }

  /** The data plane serves what is stored. */
  async serve(): Promise<void> {
    this.disk.markServed(this.disk.revision());
    await this.look();
  }

  /** Ends this life where nothing is written, and begins the next. */
  async restart(): Promise<void> {
    const recorded = latestRecordedTime(await this.disk.list());
    await this.#end();
    this.#begin(recorded);
    await this.rest();
  }

  async rest(): Promise<void> {
    for (let isQuiet = false; !isQuiet; ) {
      const before = this.#crashing.activity;
      for (let turns = 0; turns < 4; turns++) await nextTurn();
      // A pass that asks for another one at once gets it by a timer of 1 ms, which is over before this one.
      await sleep(2);
      isQuiet = this.#crashing.activity === before;
      if (!this.#crashing.isDead) continue;
      this.crashes++;
      await this.restart();
      return;
    }
  }

  #begin(recorded: number): void {
    const onListenerError = (error: unknown): void => {
      this.failures.push(error);
    };
    this.disk = openSqliteStore({ dataDir: this.#dataDir, now: () => this.wall, admission: runtimeAdmission, onListenerError });
    this.disk.watch(() => this.#watch.written());
    this.#watch.begins(Math.max(this.wall, recorded));
    const disk = this.disk;
    this.#crashing = crashingStore(disk, (commit) => this.#watch.committed(commit));
    const changed = new Set<() => void>();
    this.#readinessChanged = changed;
    const asked = new Map<string, ServiceAddress>();
    const readiness: Readiness = {
      check: (host, port, version) => {
        asked.set(`${host}:${port}`, { host, port });
        const ready = this.ready.get(describeVersion(version));
        return { ready, reason: ready === true ? 'ready' : 'no endpoint' };
      },
      onChange: (listener) => {
        const tell = (): void => listener([...asked.values()]);
        changed.add(tell);
        return () => changed.delete(tell);
      },
      close: async () => {},
    };
    this.#controller = startController({
      store: this.#crashing.store,
      readiness,
      log: () => {},
      onPassFailed: (_, error) => {
        if (!(error instanceof Crashed)) this.failures.push(error);
      },
      time: { wall: () => this.wall, monotonic: () => this.monotonic },
    });
  }

  async #end(): Promise<void> {
    await this.#controller.close();
    await this.disk.close();
  }
}
