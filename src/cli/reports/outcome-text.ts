import type { ApplyOutcome } from '../../cluster/store.ts';
import { objectName } from '../objects/object-name.ts';

/** `virtualservice/reviews configured`, as kubectl says it. */
export function outcomeText({ ref, result }: ApplyOutcome): string {
  return `${objectName(ref)} ${result}`;
}
