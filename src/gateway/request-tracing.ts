import { randomFillSync } from 'node:crypto';
import type { RequestTrace } from '../core/evidence/request-event.ts';
import { readTraceParent, traceParentText } from '../core/tracing/trace-parent.ts';
import { withoutFields } from './hop-by-hop.ts';
import type { IncomingRequest } from './incoming-request.ts';

/** Random bytes are drawn this many at once: one call per request would cost more than all the rest. */
const POOL = 4096;

/** Gives each request its place in a trace. Without it trace headers, of whatever kind, pass as they are. */
export class RequestTracing {
  readonly #rootShare: number;
  readonly #random: () => number;
  readonly #pool = Buffer.alloc(POOL);
  #used = POOL;

  /** `rootShare`: of the requests that bring no trace along, this share (0 to 1) is sampled; the others do as their traceparent says. */
  constructor(rootShare: number, random: () => number) {
    this.#rootShare = rootShare;
    this.#random = random;
  }

  begin(request: IncomingRequest): RequestTrace {
    const parent = readTraceParent(request.lines('traceparent'));
    const spanId = this.#hex(8);
    if (parent !== undefined) return { ...parent, spanId };
    return { traceId: this.#hex(16), parentId: undefined, spanId, sampled: this.#random() < this.#rootShare };
  }

  /** All zeros would be no id, and come once in 2^64 draws. */
  #hex(bytes: number): string {
    if (this.#used + bytes > POOL) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += bytes;
    return this.#pool.toString('hex', start, this.#used);
  }
}

/**
 * The headers of a request with the trace that goes on from here. One that is not sampled keeps the caller's own span, as nobody will see ours; what
 * belongs to a trace that could not be read goes with it (W3C Trace Context, section 4.3).
 */
export function withTrace(fields: readonly string[], { traceId, parentId, spanId, sampled }: RequestTrace): readonly string[] {
  if (parentId !== undefined && !sampled) return fields;
  const kept = withoutFields(fields, parentId === undefined ? ['traceparent', 'tracestate'] : ['traceparent']);
  return [...kept, 'traceparent', traceParentText(traceId, spanId, sampled)];
}
