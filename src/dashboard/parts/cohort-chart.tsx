import { linePath } from '../model/paths.ts';
import { linearScale, roundUp, spreadLabels } from '../model/scale.ts';
import { clockText } from '../model/time-text.ts';
import { ChartReader } from './chart-reader.tsx';
import { useReadPoint } from './use-read-point.ts';
import { useSize } from './use-size.ts';

interface CohortPoint {
  /** Ms since the epoch. */
  readonly at: number;
  readonly stable: number | undefined;
  readonly canary: number | undefined;
}

interface CohortChartProps {
  readonly title: string;
  readonly names: { readonly stable: string; readonly canary: string };
  readonly points: readonly CohortPoint[];
  readonly text: (value: number) => string;
  readonly now: number;
}

/** Height, and room for the names, in rem. */
const ROOM = { height: 5.2, right: 6, top: 0.5, labelGap: 1 } as const;
const COHORTS = ['stable', 'canary'] as const;

/** One figure of both versions over time: a thin line for stable, a strong one for the canary, each with its name and last value. */
export function CohortChart({ title, names, points, text, now }: CohortChartProps) {
  const { ref, width, rem } = useSize<HTMLDivElement>();
  const [height, right] = [ROOM.height * rem, ROOM.right * rem];
  const [first, last] = [points[0], points.at(-1)];
  const highest = roundUp(Math.max(...points.flatMap(({ stable, canary }) => [stable ?? 0, canary ?? 0])));
  const x = linearScale([first?.at ?? 0, last?.at ?? 1], [0, Math.max(1, width - right)]);
  const y = linearScale([0, highest], [height - 1, ROOM.top * rem]);
  const point = useReadPoint(points.map(({ at }) => at));
  const read = point.at === undefined ? undefined : points[point.at];
  const ends = COHORTS.map((cohort) => points.findLast((each) => each[cohort] !== undefined)?.[cohort]);
  /** What the names tell: the newest figures, or those of the point that is read. */
  const told = read === undefined ? ends : COHORTS.map((cohort) => read[cohort]);
  const figure = (value: number | undefined) => (value === undefined ? '–' : text(value));
  const places = spreadLabels(
    told.map((value) => y(value ?? 0)),
    ROOM.labelGap * rem,
    height - 4,
  );
  const said = (values: readonly (number | undefined)[]) =>
    COHORTS.map((cohort, index) => `${names[cohort]} ${figure(values[index])}`).join(', ');
  return (
    <figure class="small-chart">
      <figcaption>
        {title}
        {read !== undefined && <span class="readout">, at {clockText(read.at, now)}</span>}
      </figcaption>
      <div ref={ref} class="plot">
        {COHORTS.every((cohort) => points.filter((each) => each[cohort] !== undefined).length < 2) ? (
          <p class="quiet">Not enough was seen yet.</p>
        ) : (
          <>
            <svg width={width} height={height} role="img" aria-label={`${title}: ${said(ends)}, now`}>
              <line class="grid" x1="0" x2={width - right} y1={height - 1} y2={height - 1} />
              {COHORTS.map((cohort) => (
                <path
                  key={cohort}
                  class={`cohort is-${cohort}`}
                  d={linePath(
                    points.map((point) => ({ at: point.at, value: point[cohort] })),
                    x,
                    y,
                  )}
                />
              ))}
              {COHORTS.map((cohort, index) => (
                <text key={cohort} class={`label is-${cohort}`} x={width - right + 8} y={(places[index] ?? 0) + 4}>
                  {names[cohort]} {figure(told[index])}
                </text>
              ))}
              {read !== undefined && <line class="cursor" x1={x(read.at)} x2={x(read.at)} y1="0" y2={height - 1} />}
              {COHORTS.map(
                (cohort) =>
                  read?.[cohort] !== undefined && <circle key={cohort} class="cursor-point" cx={x(read.at)} cy={y(read[cohort])} r="3.5" />,
              )}
            </svg>
            <ChartReader
              label={`${title}, at a time`}
              places={points.map(({ at }) => x(at))}
              at={point.at}
              text={`${clockText((read ?? last)?.at ?? now, now)}: ${said(told)}`}
              read={point.read}
            />
          </>
        )}
      </div>
    </figure>
  );
}
