import type { RequestEvent, RequestTrace } from '../../core/evidence/request-event.ts';
import type { Endpoint } from '../../core/routing/selection.ts';
import { isVisitorId } from '../../core/visitor/bucket.ts';
import { someMember } from '../../core/visitor/list-members.ts';
import type { VisitorIdNames } from '../visitor-id-names.ts';

/** A request's event without what observers do not ask for, as JSON; `rule`, `destination` and `endpoint` are places in the batch's lists, -1: none. */
export type EventRow = readonly [
  at: number,
  listener: RequestEvent['listener'],
  method: string,
  requestId: string,
  rule: number,
  destination: number,
  status: number,
  flag: string,
  durationMs: number,
  userAgent: string | null,
  acceptsHtml: 0 | 1,
  fetchMode: string | null,
  fetchSite: string | null,
  /** `name=id` of the cookies that are visitor ids. */
  cookies: readonly string[],
  /** Name, value, ... of the headers that are visitor ids. */
  headers: readonly string[],
  endpoint: number,
  bytesReceived: number,
  bytesSent: number,
  /** Of a request that is sampled, else null. */
  span: SpanParts | null,
];

/** What a span has of a request beyond the rest. */
type SpanParts = Pick<RequestEvent, 'path' | 'scheme' | 'version' | 'authority'> & { readonly trace: RequestTrace };

/** What a worker tells at a time. */
export interface EventBatch {
  readonly rules: readonly string[];
  readonly destinations: readonly NonNullable<RequestEvent['destination']>[];
  readonly endpoints: readonly Endpoint[];
  readonly events: readonly EventRow[];
  /** Of the access log. */
  readonly lines: readonly string[];
  /** Events and lines that were left out since the batch before, as too many had not been taken yet. */
  readonly lost: number;
}

/** Texts that a client writes are cut: what observers look at is shorter (an agent's beginning, words of Fetch). */
const LONGEST = 64;
/** Of what spans have; queries are not in them. */
const LONGEST_OF_SPAN = 1024;
const PLAIN = 'text/html';
const NONE: readonly string[] = [];

function cut(text: string | undefined): string | null {
  if (text === undefined) return null;
  return text.length > LONGEST ? text.slice(0, LONGEST) : text;
}

/** Collects what is to be told, with what repeats written once. */
export class EventBatchWriter {
  #rules = new Map<string, number>();
  #destinations = new Map<NonNullable<RequestEvent['destination']>, number>();
  #endpoints = new Map<Endpoint, number>();
  #events: EventRow[] = [];
  #lines: string[] = [];

  /** Events and lines collected. */
  get size(): number {
    return this.#events.length + this.#lines.length;
  }

  addLine(line: string): void {
    this.#lines.push(line);
  }

  /** Keeps of an event what observers ask for; `names`: where the visitor ids are. */
  addEvent(event: RequestEvent, names: VisitorIdNames): void {
    const { rule, destination, endpoint } = event;
    this.#events.push([
      event.at,
      event.listener,
      cut(event.method) ?? '',
      cut(event.requestId) ?? '',
      rule === undefined ? -1 : placeOf(this.#rules, rule),
      destination === undefined ? -1 : placeOf(this.#destinations, destination),
      event.status,
      event.flag,
      Math.round(event.durationMs * 1000) / 1000,
      cut(event.userAgent),
      event.accept?.includes(PLAIN) === true ? 1 : 0,
      cut(event.fetchMode),
      cut(event.fetchSite),
      names.cookies.length === 0 ? NONE : idCookies(event.cookies, names.cookies),
      names.headers.length === 0 ? NONE : idHeaders(event, names.headers),
      endpoint === undefined ? -1 : placeOf(this.#endpoints, endpoint),
      event.bytesReceived,
      event.bytesSent,
      spanPartsOf(event),
    ]);
  }

  /** What was collected, as a batch; collecting begins anew. */
  take(lost: number): EventBatch {
    const batch = {
      rules: [...this.#rules.keys()],
      destinations: [...this.#destinations.keys()],
      endpoints: [...this.#endpoints.keys()],
      events: this.#events,
      lines: this.#lines,
      lost,
    };
    this.#rules = new Map();
    this.#destinations = new Map();
    this.#endpoints = new Map();
    this.#events = [];
    this.#lines = [];
    return batch;
  }
}

function spanPartsOf({ trace, path, scheme, version, authority }: RequestEvent): SpanParts | null {
  if (trace?.sampled !== true) return null;
  const [plain = ''] = path.split('?', 1);
  return { trace, scheme, version, path: plain.slice(0, LONGEST_OF_SPAN), authority: authority.slice(0, LONGEST_OF_SPAN) };
}

function placeOf<Key>(places: Map<Key, number>, key: Key): number {
  const known = places.get(key);
  if (known !== undefined) return known;
  places.set(key, places.size);
  return places.size - 1;
}

/** Read as `visitorIdFromCookies` reads them: of one name in their order, and only those that are ids. */
function idCookies(lines: readonly string[], names: readonly string[]): readonly string[] {
  let found: string[] | undefined;
  for (const line of lines) {
    for (const name of names) {
      someMember(line, ';', `${name}=`, (text, start, end) => {
        const id = text.slice(start, end);
        if (isVisitorId(id)) found = [...(found ?? NONE), `${name}=${id}`];
        return false;
      });
    }
  }
  return found ?? NONE;
}

function idHeaders(event: RequestEvent, names: readonly string[]): readonly string[] {
  return names.flatMap((name) => {
    const id = event.lines(name).find(isVisitorId);
    return id === undefined ? [] : [name, id];
  });
}

/** The events of a batch, as observers get them: paths, authorities and headers that nobody asks for are empty. */
export function eventsOf({ rules, destinations, endpoints, events }: EventBatch): readonly RequestEvent[] {
  return events.map((row): RequestEvent => {
    const [at, listener, method, requestId, rule, destination, status, flag, durationMs, userAgent, acceptsHtml, fetchMode, fetchSite] =
      row;
    const [cookies, headers, endpoint, bytesReceived, bytesSent, span] = [row[13], row[14], row[15], row[16], row[17], row[18]];
    return {
      ...{ at, listener, method, requestId, status, flag, durationMs, cookies },
      ...{ path: span?.path ?? '', authority: span?.authority ?? '', scheme: span?.scheme ?? 'http' },
      ...{ version: span?.version ?? '', trace: span?.trace },
      ...{ endpoint: endpoints[endpoint], bytesReceived, bytesSent },
      lines: (name) => headers.filter((_, index) => index % 2 === 1 && headers[index - 1] === name),
      userAgent: userAgent ?? undefined,
      accept: acceptsHtml === 1 ? PLAIN : undefined,
      fetchMode: fetchMode ?? undefined,
      fetchSite: fetchSite ?? undefined,
      rule: rules[rule],
      destination: destinations[destination],
    };
  });
}
