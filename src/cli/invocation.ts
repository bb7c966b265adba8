import type { ObjectRef } from '../cluster/store.ts';

/** How this command was called: what commands that people are told to type have in common with it. */
export interface Invocation {
  /** What stands before the verb: `perch`, `perch --context staging`, `kubectl perch`. */
  readonly program: string;
  /** The namespace that is meant where a command names none. */
  readonly namespace: string;
}

/** Without anything that names another target. */
export const PLAIN_INVOCATION: Invocation = { program: 'perch', namespace: 'default' };

/** `perch promote reviews`, with the namespace where it is another one than is meant anyway: to be typed as it stands. */
export function releaseCommand(
  { program, namespace: usual }: Invocation,
  words: string,
  { namespace, name }: Omit<ObjectRef, 'kind'>,
): string {
  return `${program} ${words} ${name}${namespace === usual ? '' : ` -n ${namespace}`}`;
}
