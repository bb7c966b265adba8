import type { RequestHead } from './selection.ts';

let lastStamp = 0;

/** One request while a table looks for its route: what conditions share. */
export class RoutedRequest {
  readonly head: RequestHead;
  /** Without the query. */
  readonly path: string;
  /** Where the query begins in `head.path`, its question mark included; -1: there is none. */
  readonly queryAt: number;
  /** Tells this request from every other one: results are remembered by it. */
  readonly stamp: number;

  constructor(head: RequestHead) {
    this.head = head;
    this.queryAt = head.path.indexOf('?');
    this.path = this.queryAt < 0 ? head.path : head.path.slice(0, this.queryAt);
    lastStamp += 1;
    this.stamp = lastStamp;
  }

  /** The query with its question mark; empty where there is none. */
  get query(): string {
    return this.queryAt < 0 ? '' : this.head.path.slice(this.queryAt);
  }

  /** First value of a query parameter as written; empty for `?key` and `?key=`; undefined where it is absent. */
  queryValue(key: string): string | undefined {
    if (this.queryAt < 0) return undefined;
    const text = this.head.path;
    let start = this.queryAt + 1;
    while (start < text.length) {
      const found = text.indexOf('&', start);
      const end = found < 0 ? text.length : found;
      if (text.startsWith(key, start)) {
        const next = start + key.length;
        if (next === end) return '';
        if (text[next] === '=') return text.slice(next + 1, end);
      }
      start = end + 1;
    }
    return undefined;
  }
}
