const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
] as const;

/** A span in its two largest units: `12s`, `4m05s`, `3h20m`, `2d4h`; never negative. */
export function spanText(ms: number): string {
  const seconds = Math.max(Math.floor(ms / 1000), 0);
  const first = UNITS.findIndex(([, size]) => seconds >= size);
  const [unit, size] = UNITS[first] ?? ['s', 1];
  const next = UNITS[first + 1];
  const whole = `${Math.floor(seconds / size)}${unit}`;
  if (next === undefined || seconds % size < next[1]) return whole;
  const rest = String(Math.floor((seconds % size) / next[1]));
  return `${whole}${next[0] === 's' ? rest.padStart(2, '0') : rest}${next[0]}`;
}

/** A countdown as clocks show it: `0:18`, `12:05`, `1:02:03`. */
export function countdown(ms: number): string {
  const seconds = Math.max(Math.ceil(ms / 1000), 0);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const [hours = 0, minutes = 0, rest = 0] = parts;
  const tail = String(rest).padStart(2, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${tail}` : `${minutes}:${tail}`;
}

/** An ISO 8601 time in UTC without its fraction of a second: `2026-11-22T12:00:30Z`. */
export function timeText(at: string): string {
  return at.replace(/\.\d+Z$/, 'Z');
}

/** Time since an ISO 8601 time, for the AGE column. */
export function ageText(since: string, now: number): string {
  return spanText(now - Date.parse(since));
}
