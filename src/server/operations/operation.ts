import type { z } from 'zod';
import type { DiagnosticCode } from '../../core/diagnostics/codes.ts';

/** A group of calls, in the order of the document. */
export type OperationTag = 'Releases' | 'Objects' | 'Events' | 'Runtime';

/** An answer other than a problem. */
export interface OperationAnswer {
  readonly description: string;
  /** Of the JSON that it is; absent: what `type` says. */
  readonly schema?: z.ZodType;
  /** Default: application/json. */
  readonly type?: 'application/json' | 'text/event-stream' | 'text/plain';
  /** Of the data of server-sent events, by their names. */
  readonly events?: Readonly<Record<string, z.ZodType>>;
}

/** One call of the HTTP API: what it takes and what it answers. Routes parse with these schemas, and the OpenAPI document is made of them. */
export interface Operation<Query = unknown, Body = unknown> {
  /** In lower camel case; stable, as clients are generated from it. */
  readonly id: string;
  readonly method: 'get' | 'put' | 'post' | 'delete';
  /** Parameters in braces: `/api/v1/releases/{namespace}/{name}`. */
  readonly path: `/${string}`;
  readonly tag: OperationTag;
  /** Whose token is enough; `anyone`: it takes none. */
  readonly access: 'anyone' | 'view' | 'act';
  readonly summary: string;
  /** Of strings. */
  readonly query?: z.ZodType<Query>;
  readonly body?: z.ZodType<Body>;
  readonly answers: Readonly<Record<number, OperationAnswer>>;
  /** Its own, beside those that any call may get. */
  readonly problems?: Readonly<Record<number, readonly DiagnosticCode[]>>;
}

/** Keeps the types of the schemas. */
export function operation<Query = undefined, Body = undefined>(described: Operation<Query, Body>): Operation<Query, Body> {
  return described;
}
