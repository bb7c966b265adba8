import type { ApiClient } from '../data/api-client.ts';
import type { LiveReleases } from '../data/live-releases.ts';
import { actionsOf } from '../model/actions.ts';
import { headlineOf } from '../model/headline.ts';
import type { Release } from '../model/release.ts';
import { Controls } from './controls.tsx';
import { HeadlineView } from './headline-view.tsx';
import { useNow } from './use-now.ts';

/** What all parts of a release's page are given. */
export interface ReleasePageProps {
  readonly release: Release;
  readonly api: ApiClient;
  readonly live: LiveReleases;
  /** Counts connections: what is loaded beside the stream is loaded again with each. */
  readonly epoch: number;
  readonly serverAheadMs: number;
}

/** One release. */
export function ReleasePage({ release, api, serverAheadMs }: ReleasePageProps) {
  const now = useNow(serverAheadMs);
  return (
    <article class="release">
      <HeadlineView release={release} headline={headlineOf(release, now)} />
      <Controls release={release} actions={actionsOf(release)} api={api} />
    </article>
  );
}
