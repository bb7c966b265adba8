import { setTimeout as sleep } from 'node:timers/promises';
import { postRequest } from '../../cluster/kube/post-request.ts';
import { sameRef } from '../../cluster/manifest.ts';
import type { ObjectRef, StoredObject } from '../../cluster/store.ts';
import { REPLACED, ROLLBACK_STANDS, requestOutcome } from '../../core/release/request-outcome.ts';
import { handledRequest } from '../../core/release/requests.ts';
import type { ReleaseRequest } from '../../core/release/status.ts';
import { problem } from '../../server/problem.ts';
import { ApiProblem } from '../api-problem.ts';
import { CommandError } from '../command-error.ts';
import { deadline } from '../watching/deadline.ts';
import { Refusals } from '../watching/refusals.ts';
import { type ClusterConnection, FIELD_MANAGER } from './cluster-connection.ts';
import { followStored, type StoredChange } from './follow-stored.ts';

/** How soon a watch that broke is tried again, in ms. */
const RETRY_MS = 1000;
/** Longest `by`: what a controller takes, and what an embedded runtime does. */
const LONGEST_BY = 200;

const refused = (message: string): ApiProblem => new ApiProblem(problem(409, 'PERCH4008', message));

/** What came of a request. */
export type Asked = { readonly kind: 'done'; readonly message: string } | { readonly kind: 'pending'; readonly isHandled: boolean };

/**
 * Puts a request on a release, and waits for what comes of it, told by a watch, for at most `waitMs`. Undefined where there is no such release. Throws
 * ApiProblem where it is refused.
 */
export async function askRelease(
  connection: ClusterConnection,
  ref: ObjectRef,
  request: ReleaseRequest,
  waitMs: number,
): Promise<Asked | undefined> {
  if (request.by === '' || request.by.length > LONGEST_BY) throw new CommandError(`--by takes 1 to ${LONGEST_BY} characters`);
  const posted = await post(connection, ref, request);
  if (posted === undefined || posted.kind === 'done' || waitMs <= 0) return posted;
  return await outcome(connection, ref, request, AbortSignal.any([connection.signal, deadline(waitMs)]));
}

async function post(connection: ClusterConnection, ref: ObjectRef, request: ReleaseRequest): Promise<Asked | undefined> {
  const { client, signal } = connection;
  const posted = await postRequest(client, ref, request, { fieldManager: FIELD_MANAGER, signal }).catch((error: unknown) => {
    throw connection.explain(error);
  });
  switch (posted.kind) {
    case 'absent':
      return undefined;
    case 'outranked':
      throw refused(ROLLBACK_STANDS);
    case 'handled':
      if (posted.handled.outcome === 'refused') throw refused(posted.handled.message);
      return { kind: 'done', message: posted.handled.message };
    case 'posted':
      return { kind: 'pending', isHandled: false };
  }
}

async function outcome(
  connection: ClusterConnection,
  ref: ObjectRef,
  request: ReleaseRequest,
  end: AbortSignal,
): Promise<Asked | undefined> {
  const progress = new RequestProgress(request);
  // Who may write may look, or hears of it in the end.
  const refusals = new Refusals(true);
  while (!end.aborted) {
    try {
      for await (const changes of followStored(connection, ref.kind, ref.namespace, end)) {
        for (const release of changes.flatMap((change) => releaseIn(change, ref) ?? [])) {
          if (release === 'gone') return undefined;
          const asked = progress.read(release);
          if (asked !== undefined) return asked;
        }
      }
    } catch (error) {
      // Whatever else broke the watch: what was asked for stands, and is looked for again.
      if (error instanceof ApiProblem || connection.signal.aborted) throw error;
      refusals.take(error);
      await sleep(RETRY_MS, undefined, { signal: end }).catch(() => undefined);
    }
  }
  connection.signal.throwIfAborted();
  return { kind: 'pending', isHandled: progress.isHandled };
}

/** What a change tells of one release; undefined: nothing. */
function releaseIn(change: StoredChange, ref: ObjectRef): StoredObject | 'gone' | undefined {
  switch (change.kind) {
    case 'all':
      return change.objects.find((each) => sameRef(each.ref, ref)) ?? 'gone';
    case 'changed':
      return sameRef(change.object.ref, ref) ? change.object : undefined;
    case 'deleted':
      return sameRef(change.ref, ref) ? 'gone' : undefined;
  }
}

/** Reads the outcome of a request off its release, again and again. */
class RequestProgress {
  readonly #request: ReleaseRequest;
  #handled: string | undefined;

  constructor(request: ReleaseRequest) {
    this.#request = request;
  }

  get isHandled(): boolean {
    return this.#handled !== undefined;
  }

  /** Undefined while there is none; throws ApiProblem where it is refused. */
  read(release: StoredObject): Asked | undefined {
    const found = requestOutcome(this.#request, release, this.#handled, true);
    this.#handled = handledRequest(release.status, this.#request.id)?.message ?? this.#handled;
    switch (found.kind) {
      case 'done':
        return found;
      case 'refused':
        throw refused(found.message);
      case 'replaced':
        throw refused(REPLACED);
      case 'waiting':
        return undefined;
    }
  }
}
