/** What a `traceparent` header says (W3C Trace Context, section 3.2). */
export interface TraceParent {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** Id of the caller's span, 16 lower-case hex digits. */
  readonly parentId: string;
  readonly sampled: boolean;
}

/** Version 00 ends after the flags; of later ones more may follow, which nobody can know yet (section 3.2.4). */
const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);

/** Reads the lines of a request's `traceparent`; undefined where there is none, or none that is valid: the trace begins anew then. */
export function readTraceParent(lines: readonly string[]): TraceParent | undefined {
  if (lines.length !== 1) return undefined;
  const [, version, traceId = '', parentId = '', flags = '', more] = FORM.exec((lines[0] as string).trim()) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (traceId === NO_TRACE || parentId === NO_SPAN) return undefined;
  return { traceId, parentId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** The header for the next hop, in version 00: of the flags it knows the sampled one alone. */
export function traceParentText(traceId: string, spanId: string, sampled: boolean): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}
