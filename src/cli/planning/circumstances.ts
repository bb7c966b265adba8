import { Option } from 'commander';
import { HTTP_ROUTE } from '../../core/gateway-api/http-route.ts';
import { routedKind } from '../../core/release/route-form.ts';
import type { Circumstances } from '../../server/rehearsal/rehearsal.ts';
import { CommandError } from '../command-error.ts';
import { parseCount } from '../options.ts';
import type { FoundRelease } from './releases-named.ts';

/** What files do not tell of a release: its status would. */
export interface CircumstanceOptions {
  readonly started?: number;
  readonly live?: string;
}

/** `--started`. */
export function startedOption(): Option {
  return new Option('--started <count>', 'releases that were started on the object before: they decide the draw').argParser(parseCount);
}

/** `--live`. */
export function liveOption(): Option {
  return new Option('--live <version>', 'the subset that is live now, or the Service behind an HTTPRoute, where spec.stable is left out');
}

/** What the two options say. Throws CommandError where they cannot be about all of these releases. */
export function circumstancesOf({ started, live }: CircumstanceOptions, found: readonly FoundRelease[]): Circumstances {
  if (found.length > 1 && (started !== undefined || live !== undefined)) {
    const names = found.map(({ ref }) => ref.name).join(', ');
    throw new CommandError(`--started and --live are about one release: name one of ${names}`);
  }
  const [first] = found;
  const version = (name: string) => (first !== undefined && routedKind(first.release) === HTTP_ROUTE ? { host: name } : { subset: name });
  return { ...(started === undefined ? {} : { started }), ...(live === undefined ? {} : { live: version(live) }) };
}
