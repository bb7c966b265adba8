import { STATUS_CODES } from 'node:http';
import { type StoreError, StoreWriteError } from '../cluster/store-errors.ts';
import { CODES, type DiagnosticCode } from '../core/diagnostics/codes.ts';
import type { Diagnostic } from '../core/diagnostics/diagnostic.ts';

/** A problem document (RFC 9457, section 3) with Perch's extension members `code` and `diagnostics`. */
export interface Problem {
  /** `tag:perch.dev,2026:CODE` (RFC 4151): identifies, does not dereference. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: DiagnosticCode;
  /** Everything that is wrong with the input, where input was. */
  readonly diagnostics?: readonly Diagnostic[];
}

/** The problem of one code; its title comes from the table of codes, `detail` says what is wrong this time. */
export function problem(status: number, code: DiagnosticCode, detail: string, diagnostics?: readonly Diagnostic[]): Problem {
  const { title } = CODES[code];
  return { type: `tag:perch.dev,2026:${code}`, title, status, detail, code, ...(diagnostics === undefined ? {} : { diagnostics }) };
}

/** The HTTP status of a store that failed; 507: RFC 4918, section 11.5. */
export function storeErrorStatus(error: StoreError): number {
  return error instanceof StoreWriteError ? 507 : 503;
}

/** What goes over the wire where there is no request that a Response would be of. */
interface ProblemText {
  readonly status: number;
  readonly reason: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The parts of a whole answer, `application/problem+json`. */
export function problemText(document: Problem): ProblemText {
  return {
    status: document.status,
    reason: STATUS_CODES[document.status] ?? 'Error',
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' },
    body: JSON.stringify(document),
  };
}

/** The same as an HTTP response. */
export function problemResponse(document: Problem, headers: Readonly<Record<string, string>> = {}): Response {
  const { status, body, headers: own } = problemText(document);
  return new Response(body, { status, headers: { ...headers, ...own } });
}
