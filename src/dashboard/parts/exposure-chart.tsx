import type { ComparisonView } from '../../core/view/comparison-view.ts';
import type { TimelineSample } from '../../core/view/timeline-view.ts';
import { type MeasuredPoint, measuredLine } from '../model/measured-line.ts';
import { shareText, weightText } from '../model/number-text.ts';
import { bandPath, linePath, stairPath } from '../model/paths.ts';
import { type Release, versionNames } from '../model/release.ts';
import { linearScale, timeTicks } from '../model/scale.ts';
import { type PlannedStep, type Stair, stairsToCome } from '../model/step-plan.ts';
import { clockText } from '../model/time-text.ts';
import { ChartReader } from './chart-reader.tsx';
import { useReadPoint } from './use-read-point.ts';
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

/** What the weight of a step takes, in rem. */
const STEP_ROOM = 2.8;
/** Values of the axis that are nearer than this to the weight of a step beside it are left out, in rem. */
const AXIS_GAP = 1;

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
  const steps = [...stairs, ...come];
  /** Whether a step begins where there is no room for its weight left of its riser but among the values of the axis, as for the first one. */
  const isBesideAxis = (at: number): boolean => x(at) - left < STEP_ROOM * rem;
  const besideAxis = steps.filter(({ at }) => isBesideAxis(at));
  const lastShare = line.findLast(({ value }) => value !== undefined);
  const readable = line.length > 0 ? line : [{ at: from, value: undefined, range: undefined }];
  const point = useReadPoint(readable.map(({ at }) => at));
  const read = point.at === undefined ? undefined : readable[point.at];
  const textOf = (at: (typeof readable)[number] | undefined) => (at === undefined ? '' : pointText(at, stairs, now));
  const { canary, service } = versionNames(release);
  const said = `Exposure of ${service} ${canary} over time: asked ${weightText(current?.weight ?? 0)}${lastShare?.value === undefined ? '' : `, measured ${shareText(lastShare.value)}`}. The table below has the figures.`;
  return (
    <>
      <p class="readout" aria-hidden="true">
        {read === undefined ? 'Figures at a time: point at the chart, or go there with Tab and use the arrow keys.' : textOf(read)}
      </p>
      <div ref={ref} class="chart">
        {width > 0 && (
          <svg width={width} height={height} role="img" aria-label={said}>
            {[0, 25, 50, 75, 100].map((value) => (
              <g key={value}>
                <line class="grid" x1={left} x2={width - right} y1={y(value)} y2={y(value)} />
                {besideAxis.every(({ weight }) => Math.abs(y(value) - y(weight)) >= AXIS_GAP * rem) && (
                  <text class="axis" x={left - 8} y={y(value) + 4} text-anchor="end">
                    {value} %
                  </text>
                )}
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
            {steps.map(({ at, weight }) => (
              // Left of its riser, where the stairs were lower: free of the line.
              <text
                key={at}
                class={at > until ? 'step to-come' : 'step'}
                x={isBesideAxis(at) ? left - 8 : x(at) - 6}
                y={y(weight) + 4}
                text-anchor="end"
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
            {read !== undefined && <line class="cursor" x1={x(read.at)} x2={x(read.at)} y1={top} y2={height - bottom} />}
            {read?.value !== undefined && <circle class="cursor-point" cx={x(read.at)} cy={y(read.value)} r="5" />}
          </svg>
        )}
        <ChartReader
          label={`Exposure of ${service} ${canary} at a time`}
          places={readable.map(({ at }) => x(at))}
          at={point.at}
          text={textOf(read ?? readable.at(-1))}
          read={point.read}
        />
      </div>
    </>
  );
}

/** `14:03:22: asked 25 %, measured 24.6 % (by chance 20.1 … 29.2 %)`. */
function pointText({ at, value, range }: Pick<MeasuredPoint, 'at' | 'value' | 'range'>, stairs: readonly Stair[], now: number): string {
  const asked = stairs.findLast((stair) => stair.at <= at) ?? stairs[0];
  const measured = value === undefined ? 'nobody was counted' : `measured ${shareText(value)}`;
  const chance = range === undefined ? '' : ` (by chance ${range[0].toFixed(1)} … ${shareText(range[1])})`;
  return `${clockText(at, now)}: ${asked === undefined ? '' : `asked ${weightText(asked.weight)}, `}${measured}${chance}`;
}
