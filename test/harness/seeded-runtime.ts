import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import { type Runtime, startRuntime } from '../../src/server/runtime.ts';
import type { RuntimeLog } from '../../src/server/runtime-log.ts';
import { seededRandom, seededUuid } from './seeded-random.ts';

const SILENT = { info: () => {}, warn: () => {}, audit: () => {}, error: () => {} };

/** The whole embedded runtime in this process, on free ports, silent; ids and draws come from a seed. */
export interface SeededRuntime {
  readonly runtime: Runtime;
  /** Applies objects and waits until they are served. Throws with the reasons where they are refused. */
  serve(objects: readonly KubeObject[]): Promise<void>;
  /** Of the listener at 8080. */
  ingressPort(): number;
  close(): Promise<void>;
}

/** The ports 8080 and 9080 of what is served are moved to free ones. `others`: request ids of another making, who is told what, the clock of request rates, and where certificates are. */
export async function startSeededRuntime(
  seed: number,
  others: {
    readonly uuid?: () => string;
    readonly log?: RuntimeLog;
    readonly accessLog?: { write(line: string): void; dropped(): number };
    readonly monotonicNow?: () => number;
    readonly credentials?: string;
  } = {},
): Promise<SeededRuntime> {
  const dataDir = mkdtempSync(join(tmpdir(), 'perch-seeded-'));
  const map = new Map([
    [8080, 0],
    [9080, 0],
  ]);
  const draws = { uuid: seededUuid(seed), random: seededRandom(seed) };
  const runtime = await startRuntime({ dataDir, apiPort: 0, map, proxyPort: 0, log: SILENT, ...draws, ...others });
  return {
    runtime,
    serve: async (objects) => {
      const applied = await runtime.store.apply('files', objects);
      if (!applied.ok) throw new Error(applied.diagnostics.map(({ message }) => message).join('\n'));
      await runtime.served(applied.revision);
    },
    ingressPort: () => runtime.addresses().find(({ kind }) => kind === 'ingress')?.actualPort ?? 0,
    close: async () => {
      await runtime.close(0);
      rmSync(dataDir, { recursive: true });
    },
  };
}
