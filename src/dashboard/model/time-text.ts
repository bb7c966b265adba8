const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long something takes, for people, in its two largest units: `18 s`, `4 min 10 s`, `2 h 5 min`, `3 d`. Never negative. */
export function spanText(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / SECOND)) * SECOND;
  const pair = (large: number, largeName: string, small: number, smallName: string): string => {
    const rest = Math.floor((seconds % large) / small);
    return `${Math.floor(seconds / large)} ${largeName}${rest === 0 ? '' : ` ${rest} ${smallName}`}`;
  };
  if (seconds < MINUTE) return `${seconds / SECOND} s`;
  if (seconds < HOUR) return pair(MINUTE, 'min', SECOND, 's');
  return seconds < DAY ? pair(HOUR, 'h', MINUTE, 'min') : pair(DAY, 'd', HOUR, 'h');
}

const two = (value: number): string => String(value).padStart(2, '0');

/** A time of day where the reader is: `14:03:22`; with its date where that is another day than `now`'s: `28 Nov 14:03`. Times in ms since the epoch. */
export function clockText(at: number, now: number): string {
  const date = new Date(at);
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  if (date.toDateString() === new Date(now).toDateString()) return `${time}:${two(date.getSeconds())}`;
  return `${date.getDate()} ${date.toLocaleString('en-GB', { month: 'short' })} ${time}`;
}
