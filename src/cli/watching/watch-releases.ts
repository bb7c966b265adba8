import { setTimeout as sleep } from 'node:timers/promises';
import type { ReleaseView } from '../../server/release-resource.ts';
import type { ApiClient } from '../api-client.ts';
import { readEvents } from './read-events.ts';
import type { ReleaseScreen } from './release-screen.ts';

/** How soon a lost connection is tried again, in ms. */
const RETRY_MS = 1000;

/** Which releases to show. */
export type ReleaseFilter = (namespace: string, name: string) => boolean;

/**
 * Keeps a screen up to date from the runtime's events until `signal` aborts. A lost connection is shown and tried again, without end:
 * whether the runtime is there at all is for the caller to find out before.
 */
export async function watchReleases(client: ApiClient, screen: ReleaseScreen, filter: ReleaseFilter, signal: AbortSignal): Promise<void> {
  const shown = new Set<string>();
  const update = (release: ReleaseView): void => {
    const { namespace, name } = release.metadata;
    if (!filter(namespace, name)) return;
    shown.add(`${namespace}/${name}`);
    screen.update(release);
  };
  const remove = (namespace: string, name: string): void => {
    if (shown.delete(`${namespace}/${name}`)) screen.remove(namespace, name);
  };

  while (!signal.aborted) {
    try {
      const stream = await client.events(signal);
      const present = new Set((await client.releases()).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`));
      for (const key of shown) {
        const [namespace = '', name = ''] = key.split('/');
        if (!present.has(key)) remove(namespace, name);
      }
      screen.setLost(false);
      for await (const { event, data } of readEvents(stream)) {
        const value: unknown = JSON.parse(data);
        if (event === 'release') update(value as ReleaseView);
        if (event === 'deleted') remove((value as { namespace: string }).namespace, (value as { name: string }).name);
      }
    } catch {
      // Whatever broke the stream: the next attempt tells whether the runtime is there.
    }
    if (signal.aborted) return;
    screen.setLost(true);
    await sleep(RETRY_MS, undefined, { signal }).catch(() => {});
  }
}
