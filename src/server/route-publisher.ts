import type { Store } from '../cluster/store.ts';
import type { Diagnostic } from '../core/diagnostics/diagnostic.ts';
import { KIND } from '../core/release/canary-release.ts';
import { RoutingCompiler } from '../core/routing/compile.ts';
import type { ExplainedTable } from '../core/routing/explanation.ts';
import type { ListeningAddress } from '../gateway/gateway.ts';
import type { DataPlane } from './data-plane.ts';
import { asListenError } from './listen-error.ts';
import { type RoutedObjects, routedObjects } from './routed-objects.ts';
import type { RuntimeLog } from './runtime-log.ts';

/** Keeps the routes of the gateway, or of all its workers, equal to the store's objects, and the store told which revision is served. */
export interface RoutePublisher {
  /**
   * Resolves once the revision, or a later one, is served; rejects with what kept it from being served the first time it was tried
   * (ListenError for a port that is taken). The publisher goes on trying.
   */
  served(revision: number): Promise<void>;
  /**
   * The routes that are served, undefined before the first: the very table of a gateway in this process; where workers serve, the same compiled once more, here,
   * when first asked for.
   */
  table(): ExplainedTable | undefined;
  /** Why the newest routes are not served; undefined where they are. */
  failure(): string | undefined;
  close(): Promise<void>;
}

/** A port may become free: how often routes that could not be served are tried again, in ms. */
const RETRY_MS = 2000;

interface Waiter {
  readonly revision: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Starts publishing: `served(store.revision())` tells when the gateway serves what is stored. */
export function startRoutePublisher(store: Store, dataPlane: DataPlane, log: RuntimeLog): RoutePublisher {
  let waiters: Waiter[] = [];
  let failure: string | undefined;
  let isClosed = false;
  /** Whether routes may have changed since they were last read. */
  let isStale = true;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let reported = '';
  const routed = routedObjects();
  /** What is served, and its table once somebody asked for it, where others route by it: it explains what they do. */
  let published: RoutedObjects | undefined;
  let explained: { readonly of: RoutedObjects; readonly table: ExplainedTable } | undefined;
  const compiler = new RoutingCompiler();

  const report = (diagnostics: readonly Diagnostic[]): void => {
    const text = diagnostics.map(({ code, object, message }) => `${object ?? ''}: ${message} (${code})`).join('\n');
    if (text !== reported && text !== '') log.warn(text);
    reported = text;
  };

  /** One pass; gives back which revision it was about. */
  const publish = async (): Promise<number> => {
    // Read first: what is listed is at least as new.
    const revision = store.revision();
    if (isStale) {
      isStale = false;
      try {
        const before = dataPlane.addresses();
        const objects = routed(await store.list());
        report(await dataPlane.publish(objects));
        published = objects;
        logAddresses(before, dataPlane.addresses(), log);
      } catch (error) {
        isStale = true;
        throw asListenError(error) ?? error;
      }
    }
    return revision;
  };

  const settle = (revision: number, error?: unknown): void => {
    const reached = waiters.filter((waiter) => waiter.revision <= revision);
    waiters = waiters.filter((waiter) => waiter.revision > revision);
    for (const waiter of reached) error === undefined ? waiter.resolve() : waiter.reject(error);
  };

  const run = async (): Promise<void> => {
    while (!isClosed && (isStale || store.servedRevision() < store.revision())) {
      const aim = store.revision();
      try {
        const revision = await publish();
        if (failure !== undefined) log.info('routes are served again');
        failure = undefined;
        store.markServed(revision);
        settle(revision);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        if (message !== failure) log.error(`the routes cannot be served: ${message}; the former ones stay, trying again`, error);
        failure = message;
        settle(aim, error);
        timer = setTimeout(start, RETRY_MS);
        return;
      }
    }
  };

  const start = (): void => {
    clearTimeout(timer);
    running ??= run().finally(() => {
      running = undefined;
      // What was written between the last look and now.
      if (!isClosed && failure === undefined && (isStale || store.servedRevision() < store.revision())) start();
    });
  };

  const stop = store.watch((refs) => {
    // A release itself is no route: its status may change every second.
    isStale ||= refs.some((ref) => ref.kind !== KIND);
    start();
  });
  start();

  return {
    served: (revision) =>
      store.servedRevision() >= revision && !isStale
        ? Promise.resolve()
        : new Promise((resolve, reject) => {
            waiters.push({ revision, resolve, reject });
            start();
          }),
    table: () => {
      if (dataPlane.table !== undefined) return dataPlane.table();
      if (published !== undefined && explained?.of !== published) {
        explained = { of: published, table: compiler.compile(published.objects, published.delegates).table };
      }
      return explained?.table;
    },
    failure: () => failure ?? dataPlane.failure(),
    close: async () => {
      isClosed = true;
      clearTimeout(timer);
      stop();
      await running;
      settle(Number.POSITIVE_INFINITY, new Error('the runtime is closed'));
    },
  };
}

/** `http://127.0.0.1:8080`, or `https`, with brackets round IPv6. */
export function addressText({ address, actualPort, tls }: ListeningAddress): string {
  return `${tls ? 'https' : 'http'}://${address.includes(':') ? `[${address}]` : address}:${actualPort}`;
}

function logAddresses(before: readonly ListeningAddress[], after: readonly ListeningAddress[], log: RuntimeLog): void {
  const text = (address: ListeningAddress): string => `${address.kind} ${address.port} at ${addressText(address)}`;
  const [old, fresh] = [new Set(before.map(text)), new Set(after.map(text))];
  for (const each of fresh) if (!old.has(each)) log.info(`listening: ${each}`);
  for (const each of old) if (!fresh.has(each)) log.info(`no longer listening: ${each}`);
}
