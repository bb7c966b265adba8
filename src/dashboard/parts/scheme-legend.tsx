import type { ComparisonView } from '../../core/view/comparison-view.ts';
import { shareText } from '../model/number-text.ts';

interface SchemeLegendProps {
  readonly comparison: ComparisonView;
  /** Ms since the epoch: of which moment figures are given. */
  readonly at: number;
}

/** What the dashed lines are, and where each stands at a moment. */
export function SchemeLegend({ comparison, at }: SchemeLegendProps) {
  const { schemes, visitorsPerMinute } = comparison;
  return (
    <>
      <p class="note">
        Simulated, not measured: the share of visitors whom the canary would have answered since the step began, over the same steps at{' '}
        {visitorsPerMinute} visitors a minute.
      </p>
      <ul class="legend" aria-label="Simulated schemes">
        {schemes.map(({ scheme, label, points }) => {
          const share = points.findLast((point) => Date.parse(point.at) <= at)?.share;
          return (
            <li key={scheme}>
              <svg width="40" height="10" aria-hidden="true">
                <path class={`scheme is-${scheme}`} d="M0 5H40" />
              </svg>{' '}
              {label}
              {share === undefined ? '' : `: ${shareText(share)}`}
            </li>
          );
        })}
      </ul>
    </>
  );
}
