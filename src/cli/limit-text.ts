import { suggest } from '../core/diagnostics/suggest.ts';
import { formatDuration, parseDuration } from '../core/release/durations.ts';
import { isWithin, LIMIT_NAMES, LIMIT_SPECS, type LimitName, type LimitSpec, type LimitUnit } from '../gateway/limits.ts';

const BYTES = { B: 1, KiB: 1024, MiB: 1024 * 1024 } as const;

/** How values are written, by unit; a bare number is in the unit that the limit's name ends in. */
const FORMS: Readonly<Record<LimitUnit, string>> = {
  bytes: 'a size such as 64KiB, 1MiB or 4096',
  ms: 'a duration such as 500ms, 20s or 5m',
  count: 'a whole number',
};

/** A limit with its value, read from text. */
export interface NamedLimit {
  readonly name: LimitName;
  readonly value: number;
}

/** Reads `requestHeadBytes=64KiB`; what is wrong with it otherwise, as a sentence with the remedy. */
export function readLimit(text: string): NamedLimit | { readonly problem: string } {
  const [, wanted = '', written = ''] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (wanted === '') return { problem: 'It is not NAME=VALUE, such as requestHeadBytes=64KiB.' };
  const name = LIMIT_NAMES.find((each) => each === wanted);
  if (name === undefined) {
    const near = suggest(wanted, LIMIT_NAMES);
    const remedy = near === undefined ? 'docs/reference/gateway-limits.md lists them' : `did you mean ${near}?`;
    return { problem: `There is no limit ${wanted}: ${remedy}` };
  }
  const spec: LimitSpec = LIMIT_SPECS[name];
  const value = readValue(spec.unit, written);
  if (value === undefined) return { problem: `${name} takes ${FORMS[spec.unit]}.` };
  if (!isWithin(spec, value)) {
    return { problem: `${name} must be from ${formatLimit(spec.unit, spec.minimum)} to ${formatLimit(spec.unit, spec.maximum)}.` };
  }
  return { name, value };
}

/** A value as `readLimit` reads it, in the largest unit that is exact: `60KiB`, `1m15s`, `256`. */
export function formatLimit(unit: LimitUnit, value: number): string {
  if (unit === 'count') return String(value);
  if (unit === 'ms') return formatDuration(value);
  if (value > 0 && value % BYTES.MiB === 0) return `${value / BYTES.MiB}MiB`;
  return value > 0 && value % BYTES.KiB === 0 ? `${value / BYTES.KiB}KiB` : `${value}B`;
}

function readValue(unit: LimitUnit, text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text);
  if (unit === 'ms') return parseDuration(text);
  const [, amount = '', suffix = ''] = /^(\d+)(B|KiB|MiB)$/.exec(text) ?? [];
  return unit === 'bytes' && amount !== '' ? Number(amount) * BYTES[suffix as keyof typeof BYTES] : undefined;
}
