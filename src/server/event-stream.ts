import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { ObjectRef, StoredObject } from '../cluster/store.ts';
import { KIND } from '../core/release/canary-release.ts';
import type { ApiContext } from './api-context.ts';
import type { ApiEnv } from './api-guards.ts';
import { problem, problemResponse } from './problem.ts';
import { releaseView } from './release-resource.ts';

/** How often measured figures are sent while they change, in ms. */
const EXPOSURE_INTERVAL_MS = 1000;
/** After this much silence a comment shows that the connection lives, in ms. */
const SILENCE_MS = 15_000;

/** So many samples wait for a slow reader, at most: the oldest are left out, and the timeline has them all. */
const MOST_SAMPLES = 200;

const keyOf = (ref: ObjectRef): string => `${ref.namespace}/${ref.name}`;

/**
 * Server-sent events (WHATWG HTML, section 9.2): `release` with a ReleaseView for every release at the start, at each change, and
 * each second while its figures change; `deleted` with {namespace, name}; `sample` with {namespace, name, sample} when its timeline grows. A slow reader
 * gets the newest state, not every one. It ends once the caller’s token is taken away.
 */
export function eventStream(context: ApiContext, c: Context<ApiEnv>): Response {
  const { store, streams } = context;
  // Hono answers it with the head of GET's answer, whose body nobody would ever read or cancel.
  if (c.req.method === 'HEAD') return c.body(null, 200, { 'content-type': 'text/event-stream' });
  const giveBack = streams.take();
  if (giveBack === undefined) {
    return problemResponse(problem(503, 'PERCH4098', `there are ${streams.most} event streams already`), { 'retry-after': '10' });
  }
  const isStillKnown = c.get('isStillKnown') ?? (() => true);
  return streamSSE(c, async (stream) => {
    // Digests: with many readers, what each was told is not to be kept for each.
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
    const samples = queueOfSamples(context);
    const write = async (event: string, data: string): Promise<void> => {
      await stream.writeSSE({ event, data });
      lastWrite = performance.now();
    };
    try {
      while (!stream.aborted && !stream.closed && isStillKnown()) {
        changed = false;
        for (const [event, data] of newsOf(await store.list(KIND), sent, context)) await write(event, data);
        for (const sample of samples.take()) await write('sample', sample);
        if (performance.now() - lastWrite >= SILENCE_MS) {
          await stream.write(': still here\n\n');
          lastWrite = performance.now();
        }
        if (!changed) await pause((resume) => (wake = resume), stream.aborted);
      }
    } finally {
      giveBack();
      stop();
      samples.stop();
    }
  });
}

/** What changed since `sent`, a digest of the data of each release by name, which is brought up to date. */
function* newsOf(
  releases: readonly StoredObject[],
  sent: Map<string, string>,
  { exposure }: ApiContext,
): Generator<[event: string, data: string]> {
  const present = new Set(releases.map(({ ref }) => keyOf(ref)));
  for (const stored of releases) {
    const data = JSON.stringify(releaseView(stored, exposure(stored.ref)));
    const digest = createHash('sha256').update(data).digest('base64');
    if (sent.get(keyOf(stored.ref)) === digest) continue;
    sent.set(keyOf(stored.ref), digest);
    yield ['release', data];
  }
  for (const key of sent.keys()) {
    if (present.has(key)) continue;
    sent.delete(key);
    const [namespace, name] = key.split('/');
    yield ['deleted', JSON.stringify({ namespace, name })];
  }
}

/** Waits for the interval, or until it is woken. */
function pause(onWaiting: (wake: () => void) => void, isOver: boolean): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, isOver ? 0 : EXPOSURE_INTERVAL_MS);
    onWaiting(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** What is added to timelines from now on, as the data of events. */
function queueOfSamples({ onSamples }: Pick<ApiContext, 'onSamples'>): {
  readonly take: () => readonly string[];
  readonly stop: () => void;
} {
  let waiting: string[] = [];
  const stop = onSamples(({ namespace, name }, added) => {
    waiting = [...waiting, ...added.map((sample) => JSON.stringify({ namespace, name, sample }))].slice(-MOST_SAMPLES);
  });
  return { take: () => waiting.splice(0), stop };
}
