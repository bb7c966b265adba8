import { InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../core/release/durations.ts';
import type { OutputFormat } from './terminal/output.ts';

/** `-o`, with the formats that a command knows. */
export function outputOption(...formats: readonly OutputFormat[]): Option {
  return new Option('-o, --output <format>', 'the form of the output; without it, text for people').choices(formats);
}

/** A port number, 0 for any free one. For Commander's option parsers. */
export function parsePort(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new InvalidArgumentError('It is not a port number (0 to 65535).');
  return Number(text);
}

/** A whole number from 0 to a million. */
export function parseCount(text: string): number {
  if (!/^\d{1,7}$/.test(text) || Number(text) > 1_000_000) throw new InvalidArgumentError('It is not a whole number up to 1000000.');
  return Number(text);
}

/** A duration as CanaryRelease writes them (`500ms`, `20s`, `1h30m`), in ms. */
export function parseSpan(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('It is not a duration such as 500ms, 20s, 10m or 1h30m.');
  return ms;
}
