const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1, us: 0.001, µs: 0.001, ns: 0.000001 };
const DURATION = /^(?:\d+(?:\.\d*)?|\.\d+)(?:h|ms|m|s|us|µs|ns)(?:(?:\d+(?:\.\d*)?|\.\d+)(?:h|ms|m|s|us|µs|ns))*$/;

/** Milliseconds of a duration as Istio writes it (`1h30m`, `1.5s`, `300ms`: Go's time.ParseDuration, without a sign); undefined where it is none. */
export function parseDuration(text: string): number | undefined {
  if (!DURATION.test(text)) return undefined;
  let total = 0;
  for (const [, number = '', unit = ''] of text.matchAll(/([\d.]+)(h|ms|m|s|us|µs|ns)/g)) total += Number(number) * (UNITS[unit] ?? 0);
  // Fractions such as 0.1 s are exact in ms only after rounding.
  return Math.round(total * 1e6) / 1e6;
}
