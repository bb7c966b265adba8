/** From a value to its place on the screen, and the other way round for nothing: charts only draw. */
export interface Scale {
  (value: number): number;
  readonly domain: readonly [number, number];
}

/** A linear scale; a domain of no width leads everything to the middle of the range. */
export function linearScale(domain: readonly [number, number], range: readonly [number, number]): Scale {
  const [from, to] = domain;
  const [start, end] = range;
  const width = to - from;
  const place = (value: number): number => (width === 0 ? (start + end) / 2 : start + ((value - from) / width) * (end - start));
  return Object.assign(place, { domain });
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS: readonly number[] = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR),
  ...[1, 2, 7, 14, 30, 90].map((count) => count * DAY),
];

/** A place on an axis of time, and what it is called. */
export interface Tick {
  readonly at: number;
  readonly text: string;
}

const two = (value: number): string => String(value).padStart(2, '0');

/** At most `most` round times of day within the domain (ms since the epoch), in the reader's time zone, which is `offsetMs` ahead of UTC. */
export function timeTicks([from, to]: readonly [number, number], most: number, offsetMs: number): readonly Tick[] {
  const step = STEPS.find((each) => (to - from) / each <= most) ?? STEPS.at(-1) ?? DAY;
  const ticks: Tick[] = [];
  for (let local = Math.ceil((from + offsetMs) / step) * step; local <= to + offsetMs; local += step) {
    ticks.push({ at: local - offsetMs, text: tickText(local, step) });
  }
  return ticks;
}

function tickText(local: number, step: number): string {
  const date = new Date(local);
  if (step >= DAY) return `${date.getUTCDate()} ${date.toLocaleString('en-GB', { month: 'short', timeZone: 'UTC' })}`;
  const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
  return step >= MINUTE ? time : `${time}:${two(date.getUTCSeconds())}`;
}

/** A round number that is at least `value`, for the end of an axis: 1, 2 or 5 times a power of ten. */
export function roundUp(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5].find((factor) => factor * power >= value) ?? 10) * power;
}

/** Where labels stand that would stand at `wanted` (in px, from the top), with at least `gap` px between them and none below `lowest`; in the order given. */
export function spreadLabels(wanted: readonly number[], gap: number, lowest: number): readonly number[] {
  const order = wanted.map((at, index) => ({ at, index })).sort((one, other) => one.at - other.at);
  const placed: number[] = [];
  order.forEach(({ at }, place) => {
    placed.push(Math.max(at, (placed[place - 1] ?? Number.NEGATIVE_INFINITY) + gap));
  });
  for (let place = placed.length - 1, room = lowest; place >= 0; place--) {
    const at = Math.min(placed[place] ?? 0, room);
    placed[place] = at;
    room = at - gap;
  }
  const result: number[] = [];
  order.forEach(({ index }, place) => {
    result[index] = placed[place] ?? 0;
  });
  return result;
}

/** Index of the place that is nearest to `wanted`, of several that grow; of two that are as near the first. -1 where there is none. */
export function nearestPlace(places: readonly number[], wanted: number): number {
  let [low, high] = [0, places.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    const [here, next] = [places[middle] ?? 0, places[middle + 1] ?? 0];
    if (wanted - here > next - wanted) low = middle + 1;
    else high = middle;
  }
  return high;
}
