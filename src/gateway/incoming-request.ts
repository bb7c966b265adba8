import type { RequestHead } from '../core/routing/selection.ts';
import type { ClientExchange, RequestFraming } from './client-exchange.ts';
import type { Downstream } from './downstream.ts';
import { FIELD, fieldName, JOINED_FIELDS } from './header-names.ts';
import { connectionOptions, nominatedHeaders, withoutFields } from './hop-by-hop.ts';
import type { GatewayLimits } from './limits.ts';
import { readFraming } from './request-framing.ts';
import { requestIdFor } from './request-id.ts';
import { isMethod } from './request-method.ts';
import { isAuthority, type Refusal, type RequestTarget, readTarget } from './request-target.ts';

/** What of an exchange says what is asked for. */
export interface RequestOnWire extends Pick<ClientExchange, 'method' | 'target' | 'version' | 'rawHeaders' | 'upgradable'> {
  readonly downstream: Pick<Downstream, 'scheme' | 'tlsServer' | 'remoteAddress'>;
}

/** Kind of the listener that a request came in by. */
export type ListenerKind = 'ingress' | 'mesh' | 'proxy';

/** The socket that a request came in by. */
export interface Listener {
  readonly kind: ListenerKind;
  /** Declared port. */
  readonly port: number;
  readonly bind: string | undefined;
}

/**
 * A request as it is routed and sent on: checked, its connection's own headers taken out, and the edge's put in
 * (x-request-id, x-forwarded-for, x-forwarded-proto).
 */
export class IncomingRequest implements RequestHead {
  readonly method: string;
  /** HTTP version that the client speaks. */
  readonly version: string;
  readonly path: string;
  readonly authority: string;
  readonly scheme: 'http' | 'https';
  readonly tlsServer: string | undefined;
  /** Port of an absolute-form target, else undefined. */
  readonly targetPort: number | undefined;
  readonly requestId: string;
  readonly forwardedFor: string | undefined;
  readonly userAgent: string | undefined;
  readonly framing: RequestFraming;
  /** Value of Content-Length where framing is `length`. */
  readonly contentLength: string | undefined;
  /** Protocol that the client asks to switch to, where the exchange can. */
  readonly upgrade: string | undefined;
  /** name, value, name, value, ...; names in lower case; without Host and what belongs to the connection. */
  readonly fields: readonly string[];
  /** Lines that this request's own connection to the upstream needs: upgrade, TE, Trailer, Expect. Mostly empty. */
  readonly connectionLines: string;
  /** Fields that `Connection` took out, which trailers must not have either. */
  readonly nominated: readonly string[] | undefined;
  private cookies: readonly string[] | undefined;

  constructor(exchange: RequestOnWire, listener: ListenerKind, lines: HeaderLines, target: RequestTarget, uuid: () => string) {
    this.method = exchange.method;
    this.version = exchange.version;
    this.path = target.path;
    this.authority = target.authority;
    this.targetPort = target.port;
    this.tlsServer = exchange.downstream.tlsServer;
    const edge = listener === 'ingress';
    this.scheme = (edge ? undefined : schemeToldBy(lines.forwardedProto)) ?? exchange.downstream.scheme;
    this.userAgent = lines.userAgent;
    this.contentLength = lines.contentLength;
    this.framing = lines.transferEncoding !== undefined ? 'chunked' : lines.contentLength === undefined ? 'none' : 'length';
    this.upgrade = exchange.upgradable ? lines.upgrade : undefined;

    let { fields } = lines;
    let nominated: readonly string[] | undefined;
    if (lines.connection !== undefined) {
      nominated = nominatedHeaders(connectionOptions(lines.connection));
      if (nominated.length > 0) fields = withoutFields(fields, nominated);
    }
    this.nominated = nominated;
    this.connectionLines = lines.hasConnectionLines ? this.readConnectionLines(lines) : '';
    this.requestId = requestIdFor(edge, lines.requestId, uuid);
    this.forwardedFor = edge ? append(lines.forwardedFor, exchange.downstream.remoteAddress) : lines.forwardedFor;
    if (this.forwardedFor !== undefined) fields.push('x-forwarded-for', this.forwardedFor);
    fields.push(
      'x-forwarded-proto',
      edge ? exchange.downstream.scheme : (lines.forwardedProto ?? exchange.downstream.scheme),
      'x-request-id',
      this.requestId,
    );
    this.fields = fields;
  }

  private readConnectionLines({ trailer, te, expectation }: HeaderLines): string {
    const trailers = te !== undefined && acceptsTrailers(te);
    let text = '';
    if (this.upgrade !== undefined) text += `connection: upgrade${trailers ? ', te' : ''}\r\nupgrade: ${this.upgrade}\r\n`;
    else if (trailers) text += 'connection: te\r\n';
    if (trailers) text += 'te: trailers\r\n';
    if (trailer !== undefined && this.framing === 'chunked' && this.nominated?.includes('trailer') !== true) {
      text += `trailer: ${trailer}\r\n`;
    }
    if (expectation !== undefined && this.framing !== 'none') text += 'expect: 100-continue\r\n';
    return text;
  }

  lines(name: string): readonly string[] {
    // Routes ask for them, and so do observers.
    if (name !== 'cookie') return this.read(name);
    this.cookies ??= this.read(name);
    return this.cookies;
  }

  private read(name: string): readonly string[] {
    const { fields } = this;
    const values: string[] = [];
    for (let at = 0; at < fields.length; at += 2) if (fields[at] === name) values.push(fields[at + 1] as string);
    if (values.length === 0) {
      if (name === 'host' || name === ':authority') return [this.authority];
      if (name === 'content-length' && this.contentLength !== undefined) return [this.contentLength];
    }
    return values.length > 1 && JOINED_FIELDS.has(name) ? [values.reduce(append)] : values;
  }
}

/** Lines of one header as one, as Envoy joins them: empty ones leave no trace. */
function append(list: string | undefined, item: string): string {
  if (list === undefined || list === '') return item;
  return item === '' ? list : `${list},${item}`;
}

/** Inside, whoever called says how its own client came in. */
function schemeToldBy(forwardedProto: string | undefined): 'http' | 'https' | undefined {
  const told = forwardedProto?.toLowerCase();
  return told === 'http' || told === 'https' ? told : undefined;
}

/** Whether a TE header says that trailers are welcome (RFC 9110 section 10.1.4). Its transfer codings concern nobody else. */
function acceptsTrailers(te: string): boolean {
  return te.split(',').some((member) => member.trim().toLowerCase() === 'trailers');
}

/**
 * Checks the head of a request and reads it. What two servers could understand differently is refused: several Host or
 * Content-Length lines, both kinds of framing, HTTP/1.0, unknown codings.
 */
export function readRequest(
  exchange: RequestOnWire,
  listener: ListenerKind,
  limits: GatewayLimits,
  uuid: () => string,
): IncomingRequest | Refusal {
  if (exchange.version !== '1.1' && exchange.version !== '2') return { status: 426, detail: 'only HTTP/1.1 is served' };
  if (!isMethod(exchange.method)) return { status: 400, detail: 'unknown method' };
  const raw = exchange.rawHeaders;
  if (raw.length > limits.requestHeaderCount * 2) return { status: 431, detail: 'too many headers' };
  const lines = new HeaderLines();
  for (let at = 0; at < raw.length; at += 2) lines.add(raw[at] as string, raw[at + 1] as string);
  const refusal = lines.refusal(exchange.method);
  if (refusal !== undefined) return refusal;
  const target = readTarget(exchange.method, exchange.target, lines.host ?? '', exchange.downstream.scheme, listener === 'proxy');
  if ('status' in target) return target;
  return new IncomingRequest(exchange, listener, lines, target, uuid);
}

/** The header lines of one request, sorted by what the gateway does about them. */
class HeaderLines {
  readonly fields: string[] = [];
  host: string | undefined;
  contentLength: string | undefined;
  transferEncoding: string | undefined;
  connection: string | undefined;
  upgrade: string | undefined;
  requestId: string | undefined;
  forwardedFor: string | undefined;
  forwardedProto: string | undefined;
  userAgent: string | undefined;
  te: string | undefined;
  trailer: string | undefined;
  expectation: string | undefined;
  /** Whether there is any of upgrade, TE, Trailer, Expect. */
  hasConnectionLines = false;

  private hosts = 0;
  private framings = 0;

  add(rawName: string, value: string): void {
    const name = fieldName(rawName);
    if (name.kind === FIELD.plain || name.kind === FIELD.cookie) this.fields.push(name.lower, value);
    else this.addSpecial(name.kind, name.lower, value);
  }

  /** Why the request is refused, if it is. */
  refusal(method: string): Refusal | undefined {
    if (this.hosts !== 1) return { status: 400, detail: this.hosts === 0 ? 'Host is missing' : 'several Host headers' };
    if (!isAuthority(this.host ?? '')) return { status: 400, detail: 'invalid Host' };
    const framing = readFraming({
      count: this.framings,
      contentLength: this.contentLength,
      transferEncoding: this.transferEncoding,
    });
    if (typeof framing !== 'string') return framing;
    if (framing !== 'none' && method === 'TRACE') return { status: 400, detail: 'TRACE with a body' };
    if (this.expectation !== undefined && this.expectation.toLowerCase() !== '100-continue')
      return { status: 417, detail: 'unknown expectation' };
    return undefined;
  }

  private addSpecial(kind: number, lower: string, value: string): void {
    switch (kind) {
      case FIELD.host:
        this.hosts++;
        this.host = value;
        return;
      case FIELD.contentLength:
        this.framings++;
        this.contentLength = value;
        return;
      case FIELD.transferEncoding:
        this.framings++;
        this.transferEncoding = value;
        return;
      case FIELD.connection:
        this.connection = append(this.connection, value);
        return;
      case FIELD.upgrade:
        this.upgrade = append(this.upgrade, value);
        this.hasConnectionLines = true;
        return;
      case FIELD.expect:
        this.expectation = append(this.expectation, value);
        this.hasConnectionLines = true;
        return;
      case FIELD.te:
        this.te = append(this.te, value);
        this.hasConnectionLines = true;
        return;
      case FIELD.trailer:
        this.trailer = append(this.trailer, value);
        this.hasConnectionLines = true;
        return;
      case FIELD.requestId:
        this.requestId = append(this.requestId, value);
        return;
      case FIELD.forwardedFor:
        this.forwardedFor = append(this.forwardedFor, value);
        return;
      case FIELD.forwardedProto:
        this.forwardedProto = append(this.forwardedProto, value);
        return;
      case FIELD.userAgent:
        this.userAgent ??= value;
        this.fields.push(lower, value);
        return;
      case FIELD.server:
        this.fields.push(lower, value);
        return;
      default:
      // Hop-by-hop and x-envoy-*: not passed on.
    }
  }
}
