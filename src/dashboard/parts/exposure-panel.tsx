import { useState } from 'preact/hooks';
import type { ComparisonView } from '../../core/view/comparison-view.ts';
import type { TimelineView } from '../../core/view/timeline-view.ts';
import type { ApiClient } from '../data/api-client.ts';
import { keyOf, type Release, versionNames } from '../model/release.ts';
import type { PlannedStep, Stair } from '../model/step-plan.ts';
import { ExposureChart } from './exposure-chart.tsx';
import { ExposureTable } from './exposure-table.tsx';
import { Panel } from './panel.tsx';
import { SchemeLegend } from './scheme-legend.tsx';
import { type Loaded, useLoaded } from './use-loaded.ts';

interface ExposurePanelProps {
  readonly release: Release;
  readonly api: ApiClient;
  readonly timeline: Loaded<TimelineView>;
  readonly stairs: readonly Stair[];
  readonly plan: readonly PlannedStep[];
  readonly end: number | undefined;
  readonly now: number;
  readonly epoch: number;
}

/** Exposure over time: what was asked for, what was measured, and, if one wants to see it, what other schemes would have done. */
export function ExposurePanel(props: ExposurePanelProps) {
  const { release, api, timeline, epoch, stairs } = props;
  const [isCompared, setCompared] = useState(false);
  const path = `releases/${keyOf(release)}/comparison`;
  const comparison = useLoaded<ComparisonView>(
    api,
    isCompared ? path : undefined,
    `${epoch} ${release.status?.step} ${release.status?.phase}`,
  );
  const measured = timeline.kind === 'value' ? timeline.value : undefined;
  const isDrawn = release.spec.affinity?.mode === 'canaryOnly';
  return (
    <Panel
      name="exposure"
      title={isDrawn ? 'Requests over time' : 'Exposure over time'}
      aside={
        <label class="switch">
          <input type="checkbox" checked={isCompared} onChange={(event) => setCompared(event.currentTarget.checked)} /> Other schemes,
          simulated
        </label>
      }
    >
      <p class="note">{noteOf(release, measured)}</p>
      {stairs.length === 0 ? (
        <p class="quiet">Nothing has been asked for yet: the chart begins with the first step.</p>
      ) : (
        <ExposureChart {...props} samples={measured?.items ?? []} schemes={comparison.kind === 'value' ? comparison.value.schemes : []} />
      )}
      {isCompared && comparison.kind === 'value' && <SchemeLegend comparison={comparison.value} at={props.end ?? props.now} />}
      {isCompared && comparison.kind === 'problem' && (
        <p class="note">There is nothing to compare with here: {comparison.problem.detail}.</p>
      )}
      {isCompared && comparison.kind === 'loading' && <p class="note">Simulating …</p>}
      <ExposureTable samples={measured?.items ?? []} plan={props.plan} counts={measured?.counts ?? 'visitors'} />
    </Panel>
  );
}

function noteOf(release: Release, timeline: TimelineView | undefined): string {
  const { canary } = versionNames(release);
  if (timeline?.since === undefined || (timeline.items.length === 0 && release.exposure === undefined)) {
    return release.exposure === undefined
      ? 'Nothing here counts visitors: the chart shows what the routes ask for.'
      : `The stairs are the weights asked for; the line is the share of visitors on ${canary}, as soon as one comes.`;
  }
  if (timeline.counts === 'requests') {
    return `In mode canaryOnly visitors cannot be counted: the line is the share of requests that ${canary} answered. It leaves the stairs as more and more visitors hold the cookie.`;
  }
  return `The stairs are the weights asked for; the line is the share of visitors on ${canary}, the band what chance alone explains in 95 of 100 cases.`;
}
