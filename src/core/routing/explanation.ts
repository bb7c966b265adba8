import type { RouteOrigin } from './compile-route.ts';
import type { ConditionSubject } from './conditions.ts';
import type { RequestHead, RouteTable, Selection } from './selection.ts';

/** What a table does with a request, and why. */
export interface Explanation {
  readonly isListening: boolean;
  /** The virtual host that was chosen, as it is declared; undefined: none has the request's host. */
  readonly host: string | undefined;
  /** The routes before the one that takes the request, in order, each with a condition that does not hold; all of the host where none takes it. */
  readonly passed: readonly { readonly origin: RouteOrigin; readonly failed: ConditionSubject | undefined }[];
  /** Count of further ones, between those and the one that takes it. */
  readonly omitted: number;
  readonly taken: RouteOrigin | undefined;
  /** Of the route that takes the request: all of them hold. */
  readonly conditions: readonly ConditionSubject[];
  /** What may be decided, and how often, 0 to 1: several where destinations are drawn by weight. */
  readonly outcomes: readonly { readonly share: number; readonly selection: Selection }[];
}

/** A table that can say why: for people, not for the path of requests. */
export interface ExplainedTable extends RouteTable {
  /**
   * The way of a request through the very conditions by which `select` decides; `outcomes` are what `select` gives. At most `most` of the
   * routes that do not take it are told of.
   */
  explain(kind: 'ingress' | 'mesh', port: number, bind: string | undefined, request: RequestHead, most: number): Explanation;
}
