import type { HeaderEdits } from '../core/routing/header-edits.ts';
import { FIELD, fieldName } from './header-names.ts';
import type { IncomingRequest } from './incoming-request.ts';

export function editFields(fields: readonly string[], edits: HeaderEdits, request: IncomingRequest, status: number): string[] {
  void [edits, request, status, FIELD, fieldName];
  return fields.slice();
}
