import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { ObjectRef } from '../cluster/store.ts';
import { KIND } from '../core/release/canary-release.ts';
import type { ApiContext } from './api-context.ts';
import type { ApiEnv } from './api-guards.ts';
import { releaseView } from './release-resource.ts';

/** How often measured figures are sent while they change, in ms. */
const EXPOSURE_INTERVAL_MS = 1000;
/** After this much silence a comment shows that the connection lives, in ms. */
const SILENCE_MS = 15_000;

const keyOf = (ref: ObjectRef): string => `${ref.namespace}/${ref.name}`;

/**
 * Server-sent events (WHATWG HTML, section 9.2): `release` with a ReleaseView for every release at the start, at each change, and
 * each second while its figures change; `deleted` with {namespace, name}. A slow reader gets the newest state, not every one.
 */
export function eventStream(context: ApiContext, c: Context<ApiEnv>): Response {
  const { store } = context;
  return streamSSE(c, async (stream) => {
    const sent = new Map<string, string>();
    let wake = (): void => {};
    let changed = true;
    let lastWrite = performance.now();
    stream.onAbort(() => wake());
    const stop = store.watch((refs) => {
      if (!refs.some((ref) => ref.kind === KIND)) return;
      changed = true;
      wake();
    });
    const write = async (event: string, data: string): Promise<void> => {
      await stream.writeSSE({ event, data });
      lastWrite = performance.now();
    };
    try {
      while (!stream.aborted && !stream.closed) {
        changed = false;
        const releases = await store.list(KIND);
        const present = new Set(releases.map(({ ref }) => keyOf(ref)));
        for (const stored of releases) {
          const data = JSON.stringify(releaseView(stored, context.exposure(stored.ref)));
          if (sent.get(keyOf(stored.ref)) === data) continue;
          sent.set(keyOf(stored.ref), data);
          await write('release', data);
        }
        for (const key of sent.keys()) {
          if (present.has(key)) continue;
          sent.delete(key);
          const [namespace, name] = key.split('/');
          await write('deleted', JSON.stringify({ namespace, name }));
        }
        if (performance.now() - lastWrite >= SILENCE_MS) {
          await stream.write(': still here\n\n');
          lastWrite = performance.now();
        }
        if (changed) continue;
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, EXPOSURE_INTERVAL_MS);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
          if (stream.aborted) wake();
        });
      }
    } finally {
      stop();
    }
  });
}
