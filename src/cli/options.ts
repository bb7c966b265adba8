import { InvalidArgumentError, Option } from 'commander';
import type { ReferenceGrant } from '../cluster/kube/cluster-admission.ts';
import type { NamespaceScope } from '../cluster/kube/namespace-scope.ts';
import { parseDuration } from '../core/release/durations.ts';
import { CommandError } from './command-error.ts';
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

const NAMESPACE = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

/** Names of namespaces with commas between, added to those of the option before. */
export function collectNamespaces(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(',').map(namespaceOf)];
}

/**
 * What `--watch-namespace` and `--read-namespace` say together; undefined: of all namespaces.
 * @throws CommandError where some are to be read beside all of them.
 */
export function namespaceScope(watched: readonly string[] | undefined, read: readonly string[] = []): NamespaceScope | undefined {
  if (watched !== undefined) return { watched, read };
  if (read.length === 0) return undefined;
  throw new CommandError('--read-namespace means nothing without --watch-namespace: all namespaces are read then');
}

/** Pairs `FROM:TO` of namespaces, each a name or `*`, with commas between, added to those of the option before. */
export function collectGrants(text: string, before: readonly ReferenceGrant[] = []): readonly ReferenceGrant[] {
  const grants = text.split(',').map((pair) => {
    const [from = '', to = '', ...rest] = pair.split(':');
    if (rest.length > 0) throw new InvalidArgumentError('It is not a pair of namespaces such as shop:istio-system.');
    return { from: from === '*' ? from : namespaceOf(from), to: to === '*' ? to : namespaceOf(to) };
  });
  return [...before, ...grants];
}

function namespaceOf(text: string): string {
  if (!NAMESPACE.test(text)) throw new InvalidArgumentError(`${JSON.stringify(text)} is not the name of a namespace.`);
  return text;
}
