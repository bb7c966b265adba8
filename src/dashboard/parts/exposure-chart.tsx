import type { ComparisonView } from '../../core/view/comparison-view.ts';
import type { TimelineSample } from '../../core/view/timeline-view.ts';
import { measuredLine } from '../model/measured-line.ts';
import { shareText, weightText } from '../model/number-text.ts';
import { bandPath, linePath, stairPath } from '../model/paths.ts';
import { type Release, versionNames } from '../model/release.ts';
import { linearScale, timeTicks } from '../model/scale.ts';
import { type PlannedStep, type Stair, stairsToCome } from '../model/step-plan.ts';
import { useSize } from './use-size.ts';

interface ExposureChartProps {
  readonly release: Release;
  readonly samples: readonly TimelineSample[];
  readonly schemes: ComparisonView['schemes'];
  readonly stairs: readonly Stair[];
  readonly plan: readonly PlannedStep[];
  /** When the release ended, ms since the epoch; undefined while it goes on. */
  readonly end: number | undefined;
  readonly now: number;
}

/** Room around the picture, and between labels, in rem. */
const ROOM = { left: 3.3, top: 1.3, bottom: 1.7, right: 5.2, tickGap: 5.5 } as const;

/** The staircase of weights, the measured share with its band of chance, and simulated lines: a picture, whose words are in the table below. */
export function ExposureChart({ release, samples, schemes, stairs, plan, end, now }: ExposureChartProps) {
  const { ref, width, height, rem } = useSize<HTMLDivElement>();
  const [left, top, bottom] = [ROOM.left * rem, ROOM.top * rem, ROOM.bottom * rem];
  const right = ROOM.right * rem;
  const from = stairs[0]?.at ?? now;
  const come = end === undefined ? stairsToCome(plan) : [];
  const last = Math.max(end ?? now, ...plan.map(({ until }) => until ?? 0).filter((at) => end === undefined || at <= end), from + 1000);
  const domain = [from, end === undefined && come.length === 0 ? last + (last - from) * 0.06 : last] as const;
  const x = linearScale(domain, [left, Math.max(left + 1, width - right)]);
  const y = linearScale([0, 100], [height - bottom, top]);
  const until = end ?? now;
  const line = measuredLine(samples, release.exposure, until);
  const current = stairs.at(-1);
  const lastShare = line.findLast(({ value }) => value !== undefined);
  const { canary, service } = versionNames(release);
  const said = `Exposure of ${service} ${canary} over time: asked ${weightText(current?.weight ?? 0)}${lastShare?.value === undefined ? '' : `, measured ${shareText(lastShare.value)}`}. The table below has the figures.`;
  return (
    <div ref={ref} class="chart">
      {width > 0 && (
        <svg width={width} height={height} role="img" aria-label={said}>
          {[0, 25, 50, 75, 100].map((value) => (
            <g key={value}>
              <line class="grid" x1={left} x2={width - right} y1={y(value)} y2={y(value)} />
              <text class="axis" x={left - 8} y={y(value) + 4} text-anchor="end">
                {value} %
              </text>
            </g>
          ))}
          {timeTicks(
            domain,
            Math.max(2, Math.floor((width - right) / (ROOM.tickGap * rem))),
            -new Date(now).getTimezoneOffset() * 60_000,
          ).map(({ at, text }) => (
            <text key={at} class="axis" x={x(at)} y={height - 6} text-anchor={x(at) > width - right - 20 ? 'end' : 'middle'}>
              {text}
            </text>
          ))}
          <path class="band" d={bandPath(line, x, y)} />
          <path class="stairs" d={stairPath(stairs, until, x, y)} />
          {come.length > 0 && current !== undefined && (
            <path class="stairs to-come" d={stairPath([{ at: until, weight: current.weight }, ...come], last, x, y)} />
          )}
          {schemes.map(({ scheme, points }) => (
            <path
              key={scheme}
              class={`scheme is-${scheme}`}
              d={linePath(
                points.map(({ at, share }) => ({ at: Date.parse(at), value: share })).filter(({ at }) => at <= domain[1]),
                x,
                y,
              )}
            />
          ))}
          <path class="share" d={linePath(line, x, y)} />
          {lastShare?.value !== undefined && <circle class="share-end" cx={x(lastShare.at)} cy={y(lastShare.value)} r="4" />}
          {[...stairs, ...come].map(({ at, weight }, index) => (
            // Left of its riser, where the stairs were lower: free of the line. The first one has no left.
            <text
              key={at}
              class={at > until ? 'step to-come' : 'step'}
              x={index === 0 ? x(at) + 5 : x(at) - 6}
              y={index === 0 ? y(weight) - 6 : y(weight) + 4}
              text-anchor={index === 0 ? 'start' : 'end'}
            >
              {weightText(weight)}
            </text>
          ))}
          {end === undefined && <line class="now" x1={x(now)} x2={x(now)} y1={top} y2={height - bottom} />}
          {lastShare?.value !== undefined && (
            <text class="label measured" x={width - right + 8} y={Math.min(height - bottom, y(lastShare.value) + 4)}>
              {shareText(lastShare.value)}
            </text>
          )}
        </svg>
      )}
    </div>
  );
}
