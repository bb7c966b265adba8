import { keyOf, type Release } from '../model/release.ts';
import { type ApiClient, type ProblemText, problemOf } from './api-client.ts';
import { EventReader, type ServerEvent } from './read-events.ts';
import { Store } from './store.ts';

/** Whether what the page shows is of this moment. Times in ms since the epoch. */
export type Connection =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  /** Nobody looks: nothing is followed until somebody does. */
  | { readonly kind: 'resting' }
  | { readonly kind: 'lost'; readonly since: number; readonly retryAt: number; readonly why: string }
  /** The API wants to know who asks, or this token is not enough. */
  | { readonly kind: 'stranger'; readonly problem: ProblemText };

/** All releases, and whether that is the newest of them. */
export interface LiveState {
  readonly connection: Connection;
  /** Undefined until they are known for the first time. */
  readonly releases: ReadonlyMap<string, Release> | undefined;
  /** Grows with each connection: what was loaded beside the stream is to be loaded again. */
  readonly epoch: number;
  /** How much the server's clock is ahead of this one, in ms; 0 where that is little. */
  readonly serverAheadMs: number;
}

/** The first wait before another try; it doubles up to the longest. In ms. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;
/** The server speaks at least every 15 s: after this much silence the connection is taken for dead, in ms. */
const SILENCE_MS = 40_000;
/** `Date` has whole seconds: a smaller difference of the clocks is none. */
const CLOCK_GRAIN_MS = 2000;

/**
 * Follows the API's event stream, for as long as the page is open. State is taken whole: each event is a release as it is, and what an older
 * connection still brings is dropped, so figures never jump back. EventSource could not send a token.
 */
export class LiveReleases {
  readonly store = new Store<LiveState>({ connection: { kind: 'connecting' }, releases: undefined, epoch: 0, serverAheadMs: 0 });
  readonly #api: ApiClient;
  readonly #listeners = new Set<(event: ServerEvent) => void>();
  #current: AbortController | undefined;
  #failures = 0;
  /** Since when what is shown may be old; undefined while it is not. */
  #lostSince: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(api: ApiClient) {
    this.#api = api;
  }

  /** Calls back with each event that is about something else than where a release stands; returns the way to stop. */
  onEvent(listener: (event: ServerEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Connects at once, in place of what is there: at the start, with a new token, or when the reader does not want to wait. */
  connect(): void {
    clearTimeout(this.#timer);
    this.#current?.abort();
    const connection = new AbortController();
    this.#current = connection;
    if (this.#lostSince === undefined || this.store.state.connection.kind === 'resting') {
      this.store.patch({ connection: { kind: 'connecting' } });
    }
    this.#follow(connection).then(
      () => this.#lost(connection, 'the connection was closed'),
      (error: unknown) => this.#lost(connection, error instanceof Error ? error.message : String(error)),
    );
  }

  /**
   * Follows nothing until `resume`: while the page is hidden, or kept for Back. A browser has six connections to a server with HTTP/1.1, over all of its tabs, and a
   * stream takes one: six tabs that follow leave none for anything else.
   */
  rest(): void {
    const { kind } = this.store.state.connection;
    // There is no connection where a token is asked for, and what was typed is to stay.
    if (kind === 'resting' || kind === 'stranger') return;
    clearTimeout(this.#timer);
    this.#current?.abort();
    this.#current = undefined;
    if (kind === 'live') this.#lostSince = Date.now();
    this.store.patch({ connection: { kind: 'resting' } });
  }

  /** Follows again after `rest`, and takes the state whole. */
  resume(): void {
    if (this.store.state.connection.kind !== 'resting') return;
    this.#failures = 0;
    this.connect();
  }

  #lost(connection: AbortController, why: string): void {
    if (connection !== this.#current) return;
    const now = Date.now();
    this.#lostSince ??= now;
    const wait = Math.min(FIRST_WAIT_MS * 2 ** this.#failures, LONGEST_WAIT_MS) * (0.75 + Math.random() / 2);
    this.#failures += 1;
    this.store.patch({ connection: { kind: 'lost', since: this.#lostSince, retryAt: now + wait, why } });
    this.#timer = setTimeout(() => this.connect(), wait);
  }

  async #follow(connection: AbortController): Promise<void> {
    const { signal } = connection;
    const expectNews = () => setTimeout(() => connection.abort(new Error('the server fell silent')), SILENCE_MS);
    let silence = expectNews();
    try {
      const response = await this.#api.open('events', { signal });
      if (response.status === 401 || response.status === 403) {
        this.#refused(await problemOf(response));
        return;
      }
      if (!response.ok || response.body === null) throw new Error((await problemOf(response)).detail);
      const told = new Told();
      const reader = new EventReader();
      const decoder = new TextDecoder();
      const chunks = response.body.getReader();
      this.#listed(signal).then(
        (releases) => {
          if (connection !== this.#current) return;
          told.complete(releases);
          this.#failures = 0;
          this.#lostSince = undefined;
          const { epoch } = this.store.state;
          this.store.patch({ connection: { kind: 'live' }, releases: told.releases(), epoch: epoch + 1, serverAheadMs: aheadOf(response) });
        },
        (error: unknown) => connection.abort(error),
      );
      for (;;) {
        const { done, value } = await chunks.read();
        if (done || connection !== this.#current) return;
        clearTimeout(silence);
        silence = expectNews();
        const others = reader.feed(decoder.decode(value, { stream: true })).filter((event) => !told.take(event));
        if (told.isComplete) this.store.patch({ releases: told.releases() });
        for (const event of others) for (const listener of this.#listeners) listener(event);
      }
    } finally {
      clearTimeout(silence);
    }
  }

  /** Nothing to try again until there is another token. */
  #refused(problem: ProblemText): void {
    this.#current = undefined;
    this.#lostSince = undefined;
    this.store.patch({ connection: { kind: 'stranger', problem } });
  }

  async #listed(signal: AbortSignal): Promise<readonly Release[]> {
    const answer = await this.#api.get<{ readonly items: readonly Release[] }>('releases', signal);
    if (answer.kind === 'problem') throw new Error(answer.problem.detail);
    return answer.value.items;
  }
}

/** What one connection told: the stream does not say when it has told of all that there is, a list read beside it does. */
class Told {
  readonly #releases = new Map<string, Release>();
  readonly #gone = new Set<string>();
  isComplete = false;

  /** Whether the event was about a release. */
  take({ event, data }: ServerEvent): boolean {
    if (event === 'release') {
      const release = JSON.parse(data) as Release;
      this.#gone.delete(keyOf(release));
      this.#releases.set(keyOf(release), release);
      return true;
    }
    if (event !== 'deleted') return false;
    const { namespace, name } = JSON.parse(data) as { readonly namespace: string; readonly name: string };
    this.#releases.delete(`${namespace}/${name}`);
    this.#gone.add(`${namespace}/${name}`);
    return true;
  }

  /** What the list has and the stream did not tell of; what it told is as new, or newer. */
  complete(listed: readonly Release[]): void {
    for (const release of listed) {
      const key = keyOf(release);
      if (!this.#releases.has(key) && !this.#gone.has(key)) this.#releases.set(key, release);
    }
    this.isComplete = true;
  }

  releases(): ReadonlyMap<string, Release> {
    return new Map([...this.#releases].sort(([a], [b]) => a.localeCompare(b)));
  }
}

function aheadOf(response: Response): number {
  const date = Date.parse(response.headers.get('date') ?? '');
  const ahead = date - Date.now();
  return Number.isNaN(ahead) || Math.abs(ahead) <= CLOCK_GRAIN_MS ? 0 : ahead;
}
