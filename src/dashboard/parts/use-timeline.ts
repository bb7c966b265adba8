import { useEffect, useMemo, useState } from 'preact/hooks';
import type { TimelineSample, TimelineView } from '../../core/view/timeline-view.ts';
import type { ApiClient } from '../data/api-client.ts';
import type { LiveReleases } from '../data/live-releases.ts';
import { joinSamples } from '../model/timeline.ts';
import { type Loaded, useLoaded } from './use-loaded.ts';

/** So many samples are added by events before all are loaded again, thinned out as the server has them. */
const MOST_ADDED = 600;

/** The timeline of a release, loaded anew with each `version`, and longer with each sample that the stream tells of. */
export function useTimeline(api: ApiClient, live: LiveReleases, key: string, version: string): Loaded<TimelineView> {
  const [reloads, setReloads] = useState(0);
  const [added, setAdded] = useState<readonly TimelineSample[]>([]);
  const loaded = useLoaded<TimelineView>(api, `releases/${key}/timeline`, `${version} ${reloads}`);
  const items = loaded.kind === 'value' ? loaded.value.items : undefined;
  useEffect(
    () =>
      live.onEvent(({ event, data }) => {
        if (event !== 'sample') return;
        const { namespace, name, sample } = JSON.parse(data) as { namespace: string; name: string; sample: TimelineSample };
        if (`${namespace}/${name}` === key) setAdded((before) => [...before, sample]);
      }),
    [live, key],
  );
  useEffect(() => {
    // What was loaded has the older ones.
    const last = items?.at(-1)?.at ?? '';
    setAdded((before) => before.filter(({ at }) => at > last));
  }, [items]);
  useEffect(() => {
    if (added.length > MOST_ADDED) setReloads((count) => count + 1);
  }, [added]);
  return useMemo(
    () =>
      loaded.kind === 'value'
        ? { kind: 'value', value: { ...loaded.value, items: joinSamples(loaded.value.items, added) as TimelineSample[] } }
        : loaded,
    [loaded, added],
  );
}
