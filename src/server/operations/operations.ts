import { OBJECT_OPERATIONS } from './object-operations.ts';
import type { Operation } from './operation.ts';
import { RELEASE_OPERATIONS } from './release-operations.ts';
import { RUNTIME_OPERATIONS } from './runtime-operations.ts';
import { VIEW_OPERATIONS } from './view-operations.ts';

/** Every call of the HTTP API, in the order of the document. */
export const OPERATIONS: readonly Operation[] = [RELEASE_OPERATIONS, VIEW_OPERATIONS, OBJECT_OPERATIONS, RUNTIME_OPERATIONS].flatMap(
  (group): readonly Operation[] => Object.values(group),
);
