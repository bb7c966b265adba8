import type { PerCohort } from '../../core/evidence/exposure.ts';
import type { Quantiles } from '../../core/view/latency-view.ts';
import type { TimelineSample } from '../../core/view/timeline-view.ts';
import { countText, latencyText, rateText, shareText } from '../model/number-text.ts';
import { ratesOf } from '../model/rates.ts';
import { type Release, versionNames } from '../model/release.ts';
import { clockText } from '../model/time-text.ts';
import { CohortChart } from './cohort-chart.tsx';
import { Panel } from './panel.tsx';
import { Scrolls } from './scrolls.tsx';

interface VersionsPanelProps {
  readonly release: Release;
  readonly samples: readonly TimelineSample[];
  readonly now: number;
}

/** What the quantiles of latency are called. */
const QUANTILES = [
  ['Half within', 'p50Ms'],
  ['95 % within', 'p95Ms'],
  ['99 % within', 'p99Ms'],
] as const satisfies (readonly [string, keyof Quantiles])[];

/** Rates over at least this time, in ms, and in at most so many points. */
const LEAST_MS = 2000;
const MOST_POINTS = 60;

/** Requests, errors and latency of both versions, since the step began and over time. */
export function VersionsPanel({ release, samples, now }: VersionsPanelProps) {
  const { exposure } = release;
  const { stable, canary } = versionNames(release);
  if (exposure === undefined) {
    return (
      <Panel name="versions" title="Both versions">
        <p class="quiet">Nothing here counts requests. In a cluster Istio’s own metrics have them, by version.</p>
      </Panel>
    );
  }
  const { requests, errors } = exposure;
  const visitors = exposure.counts === 'visitors' ? exposure.visitors : undefined;
  const length = Date.parse(samples.at(-1)?.at ?? '') - Date.parse(samples[0]?.at ?? '');
  const rates = ratesOf(samples, Math.max(LEAST_MS, Number.isNaN(length) ? 0 : length / MOST_POINTS));
  const pair = (values: PerCohort, text: (value: number) => string) => [text(values.stable), text(values.canary)] as const;
  const rows: readonly (readonly [string, string, string])[] = [
    ...(visitors === undefined
      ? []
      : [['Visitors', ...pair({ stable: visitors.total - visitors.canary, canary: visitors.canary }, countText)] as const]),
    ['Requests', ...pair(requests, countText)],
    [
      'Errors',
      `${countText(errors.stable)} (${rateText(errors.stable, requests.stable)})`,
      `${countText(errors.canary)} (${rateText(errors.canary, requests.canary)})`,
    ],
    ...latencyRows(release),
  ];
  return (
    <Panel name="versions" title="Both versions">
      <Scrolls label="Figures of both versions">
        <table class="figures">
          <thead>
            <tr>
              <td />
              <th scope="col">{stable}</th>
              <th scope="col">{canary}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(([name, ...values]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{values[0]}</td>
                <td>{values[1]}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scrolls>
      <p class="note">
        Since {clockText(Date.parse(exposure.since), now)}, when this step began.
        {exposure.counts === 'visitors' &&
        exposure.share !== undefined &&
        exposure.chance !== undefined &&
        exposure.chance[0] < exposure.chance[1] &&
        exposure.weight !== undefined
          ? ` Asked ${exposure.weight} %, measured ${shareText(exposure.share)}; chance alone explains ${exposure.chance[0].toFixed(1)} … ${shareText(exposure.chance[1])}.`
          : ''}
        {exposure.counts === 'visitors' &&
          ` ${countText(exposure.moved.toCanary)} moved to ${canary}, ${countText(exposure.moved.back)} back.`}
        {exposure.counts === 'visitors' && exposure.synthetic.visitors.total > 0
          ? ` ${countText(exposure.synthetic.visitors.total)} of the visitors are synthetic.`
          : ''}
      </p>
      <CohortChart
        title="Requests per second"
        names={{ stable, canary }}
        now={now}
        points={rates.map(({ at, ...rate }) => ({ at, stable: rate.stable.requests, canary: rate.canary.requests }))}
        text={(value) => value.toFixed(1)}
      />
      {samples.some(({ latency }) => latency !== undefined) && (
        <CohortChart
          title="95 % of answers within, since the step began"
          names={{ stable, canary }}
          now={now}
          points={samples.map(({ at, latency }) => ({
            at: Date.parse(at),
            stable: latency?.stable?.p95Ms,
            canary: latency?.canary?.p95Ms,
          }))}
          text={latencyText}
        />
      )}
      {rates.some(({ stable: one, canary: other }) => (one.errors ?? 0) > 0 || (other.errors ?? 0) > 0) && (
        <CohortChart
          title="Errors, % of answers"
          names={{ stable, canary }}
          now={now}
          points={rates.map(({ at, ...rate }) => ({ at, stable: rate.stable.errors, canary: rate.canary.errors }))}
          text={(value) => `${value.toFixed(1)} %`}
        />
      )}
    </Panel>
  );
}

function latencyRows({ exposure }: Release): readonly (readonly [string, string, string])[] {
  const latency = exposure?.latency;
  if (latency === undefined) return [];
  const text = (of: Quantiles | null, name: keyof Quantiles) => (of === null ? '–' : latencyText(of[name]));
  return QUANTILES.map(([label, name]) => [label, text(latency.stable, name), text(latency.canary, name)]);
}
