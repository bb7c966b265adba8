/** A whole number with thousands apart: `3,120`. */
export function countText(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** A percentage as it was asked for: `25 %`, `12.5 %`. */
export function weightText(value: number): string {
  return `${Number(value.toFixed(1))} %`;
}

/** A percentage as it was measured, always with its tenths: `24.6 %`. */
export function shareText(value: number): string {
  return `${value.toFixed(1)} %`;
}

/** A rate of failures in percent; two digits where they are needed to tell it from none: `0 %`, `0.04 %`, `2.1 %`. */
export function rateText(failed: number, total: number): string {
  if (total === 0) return '–';
  const percent = (100 * failed) / total;
  if (percent === 0) return '0 %';
  if (percent < 0.01) return 'under 0.01 %';
  return percent < 1 ? `${percent.toFixed(2)} %` : `${percent.toFixed(1)} %`;
}

/** A time of answers: `0.42 ms`, `12.4 ms`, `318 ms`, `2.1 s`. */
export function latencyText(ms: number): string {
  if (ms < 1) return `${ms.toFixed(2)} ms`;
  if (ms < 100) return `${ms.toFixed(1)} ms`;
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
