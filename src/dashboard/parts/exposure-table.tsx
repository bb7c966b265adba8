import type { TimelineSample } from '../../core/view/timeline-view.ts';
import { countText, shareText } from '../model/number-text.ts';
import type { PlannedStep } from '../model/step-plan.ts';
import { Scrolls } from './scrolls.tsx';

interface ExposureTableProps {
  readonly samples: readonly TimelineSample[];
  readonly plan: readonly PlannedStep[];
  readonly counts: 'visitors' | 'requests';
}

/** The chart in words: for each step what was asked for and what it came to. */
export function ExposureTable({ samples, plan, counts }: ExposureTableProps) {
  const rows = plan.flatMap((step) => {
    const last = samples.findLast(({ weight, share }) => weight === step.weight && share !== undefined);
    return last?.share === undefined ? [] : [{ step, last, share: last.share }];
  });
  if (rows.length === 0) return null;
  return (
    <details>
      <summary>The same as a table</summary>
      <Scrolls label="Exposure by step">
        <table>
          <thead>
            <tr>
              <th scope="col">Asked</th>
              <th scope="col">Measured</th>
              <th scope="col">By chance</th>
              <th scope="col">Of {counts}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ step, last, share }) => (
              <tr key={step.what}>
                <th scope="row">{step.what}</th>
                <td>{shareText(share)}</td>
                <td>{last.chance === undefined ? '–' : `${last.chance[0].toFixed(1)} … ${shareText(last.chance[1])}`}</td>
                <td>{countText(last.visitors ?? last.requests.stable + last.requests.canary)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scrolls>
    </details>
  );
}
