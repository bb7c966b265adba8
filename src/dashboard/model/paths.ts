import type { Scale } from './scale.ts';
import type { Stair } from './step-plan.ts';

const px = (value: number): string => String(Math.round(value * 10) / 10);

/** The path of a staircase up to `until` (ms); empty without stairs. */
export function stairPath(stairs: readonly Stair[], until: number, x: Scale, y: Scale): string {
  const [first, ...rest] = stairs;
  if (first === undefined) return '';
  return `M${px(x(first.at))} ${px(y(first.weight))}${rest.map(({ at, weight }) => `H${px(x(at))}V${px(y(weight))}`).join('')}H${px(x(Math.max(until, stairs.at(-1)?.at ?? 0)))}`;
}

/** Something that has a value at a time; a gap where it has none. */
export interface TimedValue {
  readonly at: number;
  readonly value: number | undefined;
  /** Not joined to the one before. */
  readonly isFirst?: boolean;
}

/** The path of a line through values, broken where there is none or a new part begins. */
export function linePath(values: readonly TimedValue[], x: Scale, y: Scale): string {
  let isOpen = false;
  let path = '';
  for (const { at, value, isFirst } of values) {
    if (value === undefined) {
      isOpen = false;
      continue;
    }
    path += `${isOpen && isFirst !== true ? 'L' : 'M'}${px(x(at))} ${px(y(value))}`;
    isOpen = true;
  }
  return path;
}

/** A range of values at a time. */
export interface TimedRange {
  readonly at: number;
  readonly range: readonly [number, number] | undefined;
  readonly isFirst?: boolean;
}

/** The areas between the ends of ranges: one closed path for each part without a gap. */
export function bandPath(ranges: readonly TimedRange[], x: Scale, y: Scale): string {
  const parts: { readonly at: number; readonly range: readonly [number, number] }[][] = [];
  let isOpen = false;
  for (const { at, range, isFirst } of ranges) {
    if (range === undefined) {
      isOpen = false;
      continue;
    }
    if (!isOpen || isFirst === true) parts.push([]);
    parts.at(-1)?.push({ at, range });
    isOpen = true;
  }
  return parts
    .filter((part) => part.length > 1)
    .map((part) => {
      const up = part.map(({ at, range }) => `${px(x(at))} ${px(y(range[1]))}`);
      const down = part.toReversed().map(({ at, range }) => `${px(x(at))} ${px(y(range[0]))}`);
      return `M${[...up, ...down].join('L')}Z`;
    })
    .join('');
}
