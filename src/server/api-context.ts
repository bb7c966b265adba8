import type { Context } from 'hono';
import { z } from 'zod';
import type { ObjectRef } from '../cluster/store.ts';
import type { StoreError } from '../cluster/store-errors.ts';
import type { ExposureSummary } from '../core/evidence/exposure.ts';
import type { TimelineSample, TimelineView } from '../core/view/timeline-view.ts';
import type { ApiEnv } from './api-guards.ts';
import type { ApiStore } from './api-store.ts';
import type { Probes } from './probe-routes.ts';
import { type Problem, problem, problemResponse } from './problem.ts';
import type { StreamSlots } from './stream-slots.ts';

/** What the API answers from. */
export interface ApiContext extends Probes {
  readonly store: ApiStore;
  /** What was measured of a release; undefined where nothing was. */
  exposure(release: ObjectRef): ExposureSummary | undefined;
  /** What was measured of it over time; undefined likewise. */
  timeline(release: ObjectRef): TimelineView | undefined;
  /** Calls back when samples are added to a timeline, the oldest first; returns the way to stop. */
  onSamples(listener: (release: ObjectRef, samples: readonly TimelineSample[]) => void): () => void;
  /** Calls back when the controller could not store what it decided about a release; returns the way to stop. It tries again by itself. */
  onNotStored(listener: (release: ObjectRef, error: StoreError) => void): () => void;
  /** How many event streams there may be at a time, over all callers. */
  readonly streams: StreamSlots;
  /** What an error of `store` is to who asks; undefined where it is a failure inside. */
  readonly problemOf?: (error: unknown) => Problem | undefined;
  /** Told of failures that a caller only sees as PERCH4010. */
  logError(message: string, error: unknown): void;
}

/** What a schema found wrong, in one sentence. */
function sentenceOf(error: z.ZodError): string {
  return error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.length > 0 ? `${issue.path.join('.')}: ` : ''}${issue.message}`)
    .join('; ');
}

/** Longest body that the API reads, in bytes. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** The body as text; undefined where it is too large. Hono's own limit needs the adapter's Request on the globals, see api-listener.ts. */
async function readText(request: Request): Promise<string | undefined> {
  if (Number(request.headers.get('content-length') ?? 0) > MAX_BODY_BYTES) return undefined;
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) return undefined;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** Reads a body of JSON by a schema; a Response is the answer to a body that does not fit. */
export async function readBody<T>(c: Context<ApiEnv>, schema: z.ZodType<T>): Promise<{ readonly body: T } | Response> {
  let text: string | undefined;
  try {
    text = await readText(c.req.raw);
  } catch (error) {
    // Who broke off, or was cut for being slow, reads no answer any more.
    if (!c.env.incoming.destroyed) throw error;
    return problemResponse(problem(400, 'PERCH4006', 'the body ended too early'));
  }
  if (text === undefined) {
    // What is left of the body is not read: the connection cannot be used again.
    return problemResponse(problem(413, 'PERCH4003', `the body is larger than ${MAX_BODY_BYTES} bytes`), { connection: 'close' });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return problemResponse(problem(400, 'PERCH4006', `the body is not JSON: ${error.message}`));
  }
  const parsed = schema.safeParse(json);
  return parsed.success ? { body: parsed.data } : problemResponse(problem(400, 'PERCH4006', sentenceOf(parsed.error)));
}

/** Reads the query parameters by a schema of strings; a Response is the answer to those that do not fit. */
export function readQuery<T>(c: Context<ApiEnv>, schema: z.ZodType<T>): { readonly query: T } | Response {
  const parsed = schema.safeParse(c.req.query());
  return parsed.success ? { query: parsed.data } : problemResponse(problem(400, 'PERCH4006', `query: ${sentenceOf(parsed.error)}`));
}

/** Who asks for a change, as they call themselves: the query parameter `by` of what applies and deletes. */
export const whoAsks = { by: z.string().min(1).max(200).optional() };

/** The answer where an object is asked for that does not exist. */
export function noSuchObject({ kind, namespace, name }: ObjectRef): Response {
  return problemResponse(problem(404, 'PERCH4005', `there is no ${kind} ${namespace}/${name}`));
}
