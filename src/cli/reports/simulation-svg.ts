import { formatDuration } from '../../core/release/durations.ts';
import { count } from './release-text.ts';
import { rareShare, TITLES, wentBack } from './scheme-words.ts';
import type { SchemeView, SimulationView } from './simulation-view.ts';

const PANEL = { width: 360, height: 228 };
/** Where the plot lies in its panel. */
const PLOT = { left: 34, top: 48, width: 312, height: 144 };
const MARGIN = 16;
const LEGEND = 64;

/** On a card of its own, so that it reads the same on light and dark pages; green and red differ in lightness too. */
const STYLE = `
  text { font: 12px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #24292f }
  .title { font-weight: 600; font-size: 14px }
  .note { fill: #57606a }
  .value { font-size: 11px; text-anchor: middle }
  .tick { font-size: 11px; fill: #57606a }
  .grid { stroke: #d8dee4; stroke-width: 1 }
  .asked { fill: #c8e6cf }
  .more { fill: #f4a3a0 }
  .less { fill: #f2d675 }
  .seen { fill: none; stroke: #24292f; stroke-width: 2 }`;

/** One panel for each scheme: the staircase of weights asked for, and the exposure that came of it. An SVG document (W3C SVG 1.1). */
export function simulationSvg(view: SimulationView): string {
  const { schemes, steps, seed } = view;
  const columns = Math.min(schemes.length, 2);
  const rows = Math.ceil(schemes.length / 2);
  const width = Math.max(columns, 2) * PANEL.width + 2 * MARGIN;
  const height = rows * PANEL.height + LEGEND + MARGIN;
  const lastsMs = steps.reduce((sum, { holdMs }) => sum + holdMs, 0);
  const about = `${count(schemes[0]?.visitors ?? 0)} visitors in ${formatDuration(lastsMs)}, seed ${seed}`;
  const panels = schemes.map((scheme, index) => {
    const x = MARGIN + (index % 2) * PANEL.width;
    const y = MARGIN + Math.floor(index / 2) * PANEL.height;
    return `<g transform="translate(${x} ${y})">\n${panel(scheme, view).join('\n')}\n</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    '<title>Visitors on the canary: asked for, and seen</title>',
    `<desc>${schemes.map(described).join(' ')}</desc>`,
    `<style>${STYLE}\n</style>`,
    `<rect width="${width}" height="${height}" rx="8" fill="#ffffff"/>`,
    ...panels,
    ...legend(height - LEGEND + 14, about),
    '</svg>',
    '',
  ].join('\n');
}

function described({ scheme, steps }: SchemeView): string {
  return `${TITLES[scheme]}: ${steps.map(({ weight, share }) => `${weight} asked, ${share?.toFixed(1) ?? 'nobody'} seen`).join('; ')}.`;
}

function panel(scheme: SchemeView, { steps }: SimulationView): readonly string[] {
  const lastsMs = steps.reduce((sum, { holdMs }) => sum + holdMs, 0);
  const y = (share: number) => round(PLOT.top + PLOT.height * (1 - share / 100));
  const base = y(0);
  let startMs = 0;
  const stairs = steps.map(({ weight, holdMs }, index) => {
    const left = round(PLOT.left + (PLOT.width * startMs) / lastsMs);
    startMs += holdMs;
    const right = round(PLOT.left + (PLOT.width * startMs) / lastsMs);
    return { left, right, middle: round((left + right) / 2), weight, share: scheme.steps[index]?.share };
  });
  const area = (kind: string, left: number, right: number, top: number, bottom: number) =>
    `<rect class="${kind}" x="${left}" y="${top}" width="${round(right - left)}" height="${round(bottom - top)}"/>`;
  return [
    `<text class="title" x="${PLOT.left}" y="16">${TITLES[scheme.scheme]}</text>`,
    `<text class="note" x="${PLOT.left}" y="33">${wentBack(scheme)} went back; mixed pages: ${rareShare(scheme.mixedPageShare)}</text>`,
    ...[0, 25, 50, 75, 100].flatMap((share) => [
      `<line class="grid" x1="${PLOT.left}" x2="${PLOT.left + PLOT.width}" y1="${y(share)}" y2="${y(share)}"/>`,
      `<text class="tick" x="${PLOT.left - 6}" y="${round(y(share) + 4)}" text-anchor="end">${share}</text>`,
    ]),
    ...stairs.flatMap(({ left, right, weight, share = weight }) => [
      area('asked', left, right, y(Math.min(weight, share)), base),
      ...(share > weight ? [area('more', left, right, y(share), y(weight))] : []),
      ...(share < weight ? [area('less', left, right, y(weight), y(share))] : []),
    ]),
    `<path class="seen" d="${stairs.map(({ left, right, share = 0 }, index) => `${index === 0 ? 'M' : 'L'}${left} ${y(share)}H${right}`).join('')}"/>`,
    ...labels(stairs, y),
    ...apart(stairs).map(({ middle, weight }) => `<text class="tick" x="${middle}" y="${base + 16}" text-anchor="middle">${weight}</text>`),
  ];
}

interface Stair {
  readonly middle: number;
  readonly left: number;
  readonly right: number;
  readonly share: number | undefined;
}

/** The shares above their stairs, where there is room for them. */
function labels(stairs: readonly Stair[], y: (share: number) => number): readonly string[] {
  const room = 28;
  return stairs.flatMap(({ middle, left, right, share }) =>
    share === undefined || right - left < room
      ? []
      : [`<text class="value" x="${middle}" y="${round(y(share) - 5)}">${share.toFixed(1)}</text>`],
  );
}

/** As many as can have their weight below them. */
function apart<Each extends Stair>(stairs: readonly Each[]): readonly Each[] {
  const room = 24;
  let last = Number.NEGATIVE_INFINITY;
  return stairs.filter(({ middle }) => {
    if (middle - last < room) return false;
    last = middle;
    return true;
  });
}

function legend(y: number, about: string): readonly string[] {
  const entries = [
    ['asked', 'as asked'],
    ['more', 'more than asked'],
    ['less', 'less than asked'],
  ] as const;
  let x = MARGIN + PLOT.left;
  const swatches = entries.flatMap(([kind, text]) => {
    const at = x;
    x += 40 + text.length * 6.5;
    return [
      `<rect class="${kind}" x="${at}" y="${y - 10}" width="14" height="12"/>`,
      `<text class="note" x="${at + 20}" y="${y}">${text}</text>`,
    ];
  });
  const left = MARGIN + PLOT.left;
  return [
    ...swatches,
    `<path class="seen" d="M${left} ${y + 16}h14"/>`,
    `<text class="note" x="${left + 20}" y="${y + 20}">on the canary, in % of the visitors who came in the step; below it: the weight asked for, in %</text>`,
    `<text class="note" x="${left}" y="${y + 40}">${about}</text>`,
  ];
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
