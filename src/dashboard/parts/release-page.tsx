import type { WovenRoutesView } from '../../core/view/woven-routes-view.ts';
import type { ApiClient } from '../data/api-client.ts';
import type { LiveReleases } from '../data/live-releases.ts';
import { actionsOf } from '../model/actions.ts';
import { headlineOf } from '../model/headline.ts';
import { keyOf, type Release } from '../model/release.ts';
import { endOfRun, eventsOfRun, planSteps, stairsOf } from '../model/step-plan.ts';
import { proposeTrial, type RoutingObject } from '../model/trial-proposal.ts';
import { Controls } from './controls.tsx';
import { ExposurePanel } from './exposure-panel.tsx';
import { HeadlineView } from './headline-view.tsx';
import { type History, HistoryPanel } from './history-panel.tsx';
import { RoutesPanel } from './routes-panel.tsx';
import { StepsPanel } from './steps-panel.tsx';
import { TrialPanel } from './trial-panel.tsx';
import { type Loaded, useLoaded } from './use-loaded.ts';
import { useNow } from './use-now.ts';
import { useTimeline } from './use-timeline.ts';
import { VersionsPanel } from './versions-panel.tsx';

interface ReleasePageProps {
  readonly release: Release;
  readonly api: ApiClient;
  readonly live: LiveReleases;
  /** Counts connections: what is loaded beside the stream is loaded again with each. */
  readonly epoch: number;
  readonly serverAheadMs: number;
}

/** What lists of the API are. */
interface Items<Item> {
  readonly items: readonly Item[];
}

type Objects = Items<RoutingObject>;

function itemsOf<Item>(loaded: Loaded<Items<Item>>): readonly Item[] {
  return loaded.kind === 'value' ? loaded.value.items : [];
}

/** One release. */
export function ReleasePage({ release, api, live, epoch, serverAheadMs }: ReleasePageProps) {
  const now = useNow(serverAheadMs);
  const { metadata, status } = release;
  const key = keyOf(release);
  const path = `releases/${key}`;
  /** What is loaded beside the stream changes with these. */
  const standing = [
    epoch,
    metadata.generation,
    metadata.deletionTimestamp,
    status?.phase,
    status?.step,
    status?.stepStartedAt,
    status?.message,
  ];
  const version = [...standing, status?.lastRequest?.id].join(' ');
  const history = useLoaded<History>(api, `${path}/history?limit=200`, version);
  const routes = useLoaded<WovenRoutesView>(api, `${path}/routes`, version);
  const timeline = useTimeline(api, live, key, `${epoch} ${status?.startedAt}`);
  const gateways = useLoaded<Objects>(api, 'objects?kind=Gateway', String(epoch));
  const virtualServices = useLoaded<Objects>(api, 'objects?kind=VirtualService&view=base', String(epoch));
  const run = eventsOfRun(release, history.kind === 'value' ? history.value.items : []);
  const plan = planSteps(release, run);
  const woven = itemsOf(routes).map(({ namespace, name }) => `${namespace}/${name}`);
  return (
    <article class="release">
      <HeadlineView release={release} headline={headlineOf(release, now)} />
      <Controls release={release} actions={actionsOf(release)} api={api} />
      <div class="panels">
        <ExposurePanel
          release={release}
          api={api}
          timeline={timeline}
          stairs={stairsOf(run)}
          plan={plan}
          end={endOfRun(run)}
          now={now}
          epoch={epoch}
        />
        <VersionsPanel release={release} samples={timeline.kind === 'value' ? timeline.value.items : []} now={now} />
        <StepsPanel plan={plan} now={now} />
        <HistoryPanel history={history} now={now} />
        <RoutesPanel routes={routes} />
        <TrialPanel api={api} proposal={proposeTrial([...itemsOf(gateways), ...itemsOf(virtualServices)], woven, release.spec.service)} />
      </div>
    </article>
  );
}
