import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runtimeAdmission } from '../admission.ts';
import type { Store } from '../store.ts';
import { openSqliteStore } from './sqlite-store.ts';

/** Names the release of `canaryRelease()`. */
export const RELEASE = { kind: 'CanaryRelease', namespace: 'default', name: 'reviews' };
/** Names the routes of `virtualService()`, which that release adopts. */
export const ROUTES = { kind: 'VirtualService', namespace: 'default', name: 'reviews' };

/** A data directory of one test, and the stores that it opens. */
export class StoreScene {
  readonly dataDir = mkdtempSync(join(tmpdir(), 'perch-store-'));
  readonly #cleanups: (() => unknown)[] = [() => rmSync(this.dataDir, { recursive: true, force: true })];

  open(directory = this.dataDir): Store {
    const onListenerError = (error: unknown): void => {
      throw error;
    };
    const store = openSqliteStore({ dataDir: directory, now: Date.now, admission: runtimeAdmission, onListenerError });
    this.atEnd(() => store.close());
    return store;
  }

  /** What ends later is done earlier. */
  atEnd(work: () => unknown): void {
    this.#cleanups.push(work);
  }

  async close(): Promise<void> {
    for (const cleanup of this.#cleanups.splice(0).reverse()) await cleanup();
  }
}

/** What `work` throws. */
export function errorOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}
