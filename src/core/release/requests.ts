import type { HandledRequest, Phase, ReleaseRequest, ReleaseStatus, RequestAction } from './status.ts';

/** What a request does in a phase: one of the machine's moves, or nothing, with the reason. */
export type RequestEffect =
  | { readonly kind: 'nextStep' | 'pause' | 'resume' | 'rollBack' | 'retry' }
  | { readonly kind: 'refuse'; readonly message: string };

/** Every action, in the order in which help texts name them. */
export const REQUEST_ACTIONS = ['promote', 'pause', 'resume', 'rollback', 'retry'] as const satisfies RequestAction[];

const refuse = (message: string): RequestEffect => ({ kind: 'refuse', message });

const NOT_STARTED = refuse('the release has not started: it waits for what status names');
const ENDING = refuse('the release is completing: only rollback can stop it');
const GOING_BACK = refuse('the release is rolling back');
const FINISHED = refuse('the release has finished; change spec.canary or spec.revision to start another');
const OVERTAKEN = refuse('the release is superseded: the one that the spec asks for starts next');
const GONE_BACK = refuse('the release was rolled back; retry starts it again');

const EFFECTS: Readonly<Record<Phase, Readonly<Record<RequestAction, RequestEffect>>>> = {
  Pending: {
    promote: NOT_STARTED,
    pause: NOT_STARTED,
    resume: NOT_STARTED,
    // Of the one that ended before it, if that succeeded.
    rollback: { kind: 'rollBack' },
    retry: refuse('the release is about to start already: it waits for what status names'),
  },
  Progressing: {
    promote: { kind: 'nextStep' },
    pause: { kind: 'pause' },
    resume: refuse('the release is not paused'),
    rollback: { kind: 'rollBack' },
    retry: refuse('the release is running: roll back first'),
  },
  Paused: {
    promote: { kind: 'nextStep' },
    pause: refuse('the release is paused already'),
    resume: { kind: 'resume' },
    rollback: { kind: 'rollBack' },
    retry: refuse('the release is running: roll back first'),
  },
  Completing: { promote: ENDING, pause: ENDING, resume: ENDING, rollback: { kind: 'rollBack' }, retry: ENDING },
  Succeeded: {
    promote: FINISHED,
    pause: FINISHED,
    resume: FINISHED,
    rollback: { kind: 'rollBack' },
    retry: FINISHED,
  },
  RollingBack: { promote: GOING_BACK, pause: GOING_BACK, resume: GOING_BACK, rollback: GOING_BACK, retry: GOING_BACK },
  RolledBack: {
    promote: GONE_BACK,
    pause: GONE_BACK,
    resume: GONE_BACK,
    rollback: refuse('the release was rolled back already'),
    retry: { kind: 'retry' },
  },
  Superseded: {
    promote: OVERTAKEN,
    pause: OVERTAKEN,
    resume: OVERTAKEN,
    rollback: refuse('the release is superseded: everyone goes back already'),
    retry: OVERTAKEN,
  },
};

/** What a request does in a phase. Annotations are free text, so the action may be anything; what is unknown is refused. */
export function requestEffect(phase: Phase, action: string): RequestEffect {
  const effects: Readonly<Record<string, RequestEffect>> = EFFECTS[phase];
  const known = Object.hasOwn(effects, action) ? effects[action] : undefined;
  return known ?? refuse(`there is no request "${action}": use ${REQUEST_ACTIONS.join(', ')}`);
}

type Handled = Pick<ReleaseStatus, 'lastRequest' | 'earlierRequests'>;

/** The request of that id, if it was handled: it is never handled again, as far as the status remembers. */
export function handledRequest(status: Handled | undefined, id: string): HandledRequest | undefined {
  return [status?.lastRequest, ...(status?.earlierRequests ?? [])].find((request) => request?.id === id);
}

/** How many handled requests are remembered beside the last one. */
const MAX_EARLIER = 10;

/** What is remembered of requests once this one is handled. */
export function withHandled({ lastRequest: before, earlierRequests = [] }: Handled, lastRequest: HandledRequest): Handled {
  return before === undefined ? { lastRequest } : { lastRequest, earlierRequests: [before, ...earlierRequests].slice(0, MAX_EARLIER) };
}

/**
 * Whether an incoming request may take the place of the pending one. The last one wins, except that a rollback that was not handled yet is
 * never overwritten; posting the same request twice changes nothing, and one that was handled is not handled again.
 */
export function acceptRequest(pending: ReleaseRequest | undefined, status: Handled | undefined, incoming: ReleaseRequest): boolean {
  if (pending !== undefined && pending.id === incoming.id) return true;
  if (handledRequest(status, incoming.id) !== undefined) return false;
  return pending === undefined || pending.action !== 'rollback' || handledRequest(status, pending.id) !== undefined;
}
