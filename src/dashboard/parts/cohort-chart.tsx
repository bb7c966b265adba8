import { linePath } from '../model/paths.ts';
import { linearScale, roundUp, spreadLabels } from '../model/scale.ts';
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
}

/** Height, and room for the names, in rem. */
const ROOM = { height: 5.2, right: 6, top: 0.5, labelGap: 1 } as const;
const COHORTS = ['stable', 'canary'] as const;

/** One figure of both versions over time: a thin line for stable, a strong one for the canary, each with its name and last value. */
export function CohortChart({ title, names, points, text }: CohortChartProps) {
  const { ref, width, rem } = useSize<HTMLDivElement>();
  const [height, right] = [ROOM.height * rem, ROOM.right * rem];
  const [first, last] = [points[0], points.at(-1)];
  const highest = roundUp(Math.max(...points.flatMap(({ stable, canary }) => [stable ?? 0, canary ?? 0])));
  const x = linearScale([first?.at ?? 0, last?.at ?? 1], [0, Math.max(1, width - right)]);
  const y = linearScale([0, highest], [height - 1, ROOM.top * rem]);
  const ends = COHORTS.map((cohort) => points.findLast((point) => point[cohort] !== undefined)?.[cohort] ?? 0);
  const places = spreadLabels(
    ends.map((value) => y(value)),
    ROOM.labelGap * rem,
    height - 4,
  );
  const said = COHORTS.map((cohort, index) => `${names[cohort]} ${text(ends[index] ?? 0)}`).join(', ');
  return (
    <figure class="small-chart">
      <figcaption>{title}</figcaption>
      <div ref={ref}>
        {points.length < 2 ? (
          <p class="quiet">Not enough was seen yet.</p>
        ) : (
          <svg width={width} height={height} role="img" aria-label={`${title}: ${said}, now`}>
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
                {names[cohort]} {text(ends[index] ?? 0)}
              </text>
            ))}
          </svg>
        )}
      </div>
    </figure>
  );
}
