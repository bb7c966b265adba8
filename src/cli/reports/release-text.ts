/** A weight in percent: `25 %`, `12.5 %`. */
export function percent(value: number): string {
  return `${Number(value.toFixed(1))} %`;
}

/** A whole number with thousands apart: `3,120`. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}
