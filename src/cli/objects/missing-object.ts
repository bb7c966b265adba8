import { refText } from '../../cluster/manifest.ts';
import type { ObjectRef } from '../../cluster/store.ts';
import { suggest } from '../../core/diagnostics/suggest.ts';
import { CommandError } from '../command-error.ts';
import type { ReleaseClient } from '../release-client.ts';
import { refOfView } from './object-name.ts';

/** More names than these are no help in an error. */
const MOST_NAMES = 5;

/** `there is no CanaryRelease default/wbe: did you mean web?`; `existing` are the objects of that kind, of every namespace. */
export function missingText(wanted: ObjectRef, existing: readonly ObjectRef[]): string {
  const said = `there is no ${refText(wanted)}`;
  const names = existing.filter(({ namespace }) => namespace === wanted.namespace).map(({ name }) => name);
  const elsewhere = existing.find(({ name }) => name === wanted.name);
  if (elsewhere !== undefined) return `${said}: it is in namespace ${elsewhere.namespace} (-n ${elsewhere.namespace})`;
  const near = suggest(wanted.name, names);
  if (near !== undefined) return `${said}: did you mean ${near}?`;
  if (names.length === 0) return said;
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : '';
  return `${said} (there: ${names.slice(0, MOST_NAMES).join(', ')}${more})`;
}

/** The error for an object that does not exist, with those that its user may have meant. */
export async function missingObject(client: ReleaseClient, wanted: ObjectRef): Promise<CommandError> {
  const { objects } = await client.readable(wanted.kind, [wanted.namespace]);
  return new CommandError(missingText(wanted, objects.map(refOfView)));
}
