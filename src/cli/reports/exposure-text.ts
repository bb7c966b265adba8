import { edgeFindings } from '../../core/evidence/edge-findings.ts';
import type {
  ExposureFigures,
  ExposureSummary,
  PerCohort,
  RequestExposure,
  RequestFigures,
  VisitorExposure,
} from '../../core/evidence/exposure.ts';
import type { Style } from '../terminal/style.ts';
import { count, percent } from './release-text.ts';

const fixed = (value: number): string => value.toFixed(1);

/** The column SEEN BY: the share of visitors whose last answer came from the canary; `-` where there is none, or it cannot be known. */
export function seenBy(exposure: ExposureSummary | undefined): string {
  return exposure?.counts !== 'visitors' || exposure.share === undefined ? '-' : `${fixed(exposure.share)} %`;
}

/** Visitors on the canary against the weight asked for: `24.6 % of 413 visitors (asked 25 %, by chance 20.8 … 29.2)`. */
export function shareText(exposure: VisitorExposure, style: Style): string {
  const { share, weight } = exposure;
  if (share === undefined) return 'no visitor was seen yet in this step';
  const asked = weight === undefined ? [] : [`asked ${percent(weight)}`];
  const chance = chanceText(exposure);
  const notes = [...asked, ...(chance === undefined ? [] : [`by ${chance}`])].join(', ');
  return `${countedText(exposure, share, style)}${notes === '' ? '' : ` (${notes})`}`;
}

/** The same of a step that ended, with its time and a short name in 80 columns: `24.6 % of 413 visitors on v2 (chance 20.8 … 29.2)`. */
export function endedShareText(exposure: VisitorExposure, canary: string, style: Style): string {
  const chance = chanceText(exposure);
  return `${countedText(exposure, exposure.share ?? 0, style)} on ${canary}${chance === undefined ? '' : ` (${chance})`}`;
}

function countedText({ chance, visitors, sampled }: VisitorExposure, share: number, style: Style): string {
  const outside = chance !== undefined && (share < chance[0] - 0.05 || share > chance[1] + 0.05);
  const shown = outside ? style.attention(`${fixed(share)} %`) : style.bold(`${fixed(share)} %`);
  return `${shown} of ${sampled ? 'about ' : ''}${count(visitors.total)} visitors`;
}

/** At 0 and 100 % nothing is left to chance. */
function chanceText({ chance }: VisitorExposure): string | undefined {
  return chance === undefined || chance[0] === chance[1] ? undefined : `chance ${fixed(chance[0])} … ${fixed(chance[1])}`;
}

/** Requests on the canary where visitors cannot be counted: `43.2 % of 4,141 requests (each draw 10 %)`. */
export function requestShareText({ requests, weight }: RequestExposure, style: Style): string {
  const total = totalOf(requests);
  if (total === 0) return 'no request was seen yet in this step';
  const drawn = weight === undefined ? '' : ` (each draw ${percent(weight)})`;
  return `${style.bold(`${fixed((100 * requests.canary) / total)} %`)} of ${count(total)} requests${drawn}`;
}

/** How many of the requests are people's, where synthetic ones are among them; undefined where there are none. */
export function realRequestsText({ real, synthetic }: RequestExposure): string | undefined {
  const made = totalOf(synthetic.requests);
  return made === 0 ? undefined : `${count(totalOf(real.requests))} by real visitors, ${count(made)} by synthetic ones`;
}

/** Why no share of visitors stands there. */
export const UNCOUNTED = 'not counted: those on stable carry nothing that tells them apart';

function totalOf({ stable, canary }: PerCohort): number {
  return stable + canary;
}

/** Who moved since the release began; back should be 0 except by a rollback. */
export function movedText({ moved }: ExposureFigures, canary: string): string {
  return `${count(moved.toCanary)} to ${canary}   ${count(moved.back)} back`;
}

/** Failed answers of both versions. */
export function errorsText({ errors, requests }: RequestFigures, stable: string, canary: string, style: Style): string {
  const failed = (number: number): string => (number > 0 ? style.bad(count(number)) : count(number));
  return `${stable} ${failed(errors.stable)} of ${count(requests.stable)} requests   ${canary} ${failed(errors.canary)} of ${count(requests.canary)}`;
}

/** How many of the visitors are people, where synthetic ones are among them; undefined where there are none. */
export function realText({ real, synthetic }: VisitorExposure, canary: string): string | undefined {
  if (synthetic.visitors.total === 0) return undefined;
  const people =
    real.visitors.total === 0 ? 'no real visitor' : `${count(real.visitors.total)} real (${count(real.visitors.canary)} on ${canary})`;
  return `${people}, ${count(synthetic.visitors.total)} synthetic`;
}

/** Visitors whom no answer of the service could be joined to; undefined where there are none. */
export function edgeOnlyText({ assigned }: ExposureFigures): string | undefined {
  return assigned.total === 0 ? undefined : `${count(assigned.total)} more whom the service was not seen to answer`;
}

/** What keeps visitors without an id, in short: `describe` has the whole findings. */
export function edgeTexts({ edge }: VisitorExposure, release: string, style: Style): readonly string[] {
  if (edge === undefined) return [];
  // What becomes of them, which is all that issueOn changes, is left to the findings.
  return edgeFindings(release, edge, 'documents').map(({ code }) =>
    style.attention(
      code === 'PERCH3080'
        ? `${count(edge.oddRequestIds)} first visits got no valid id: their request ids are no UUIDs (${code})`
        : `${count(edge.crossSite)} of ${count(edge.requests)} requests are of other sites’ scripts, without id (${code})`,
    ),
  );
}
