import type { Selection } from '../core/routing/selection.ts';
import { chooseEndpoint } from './choose-endpoint.ts';
import type { ClientExchange, ExchangeHandler } from './client-exchange.ts';
import { editRequestFields, editResponseFields, type SentRequest, sentRequestId, withOriginalPath } from './edit-fields.ts';
import type { ForwardingContext } from './forwarding-context.ts';
import { type IncomingRequest, type Listener, readRequest } from './incoming-request.ts';
import {
  CLIENT_LEFT,
  detailsOnceBegun,
  type LocalAnswer,
  type LocalReply,
  localAnswer,
  localFields,
  NO_EDITS,
  nameServer,
  REPLY,
  reasonOf,
  refusal,
  VIA_UPSTREAM,
} from './local-reply.ts';
import type { Outcome } from './outcome.ts';
import { withTrace } from './request-tracing.ts';
import type { ResponseHead } from './response-head.ts';
import { forwardedTrailers, trailerSize } from './trailers.ts';
import { Tunnel } from './tunnel.ts';
import type { UpstreamConnection, UpstreamFailure, UpstreamUser } from './upstream-connection.ts';
import { upstreamHead } from './upstream-head.ts';
import type { EndpointPool } from './upstream-pools.ts';

type Forward = Extract<Selection, { kind: 'forward' }>;

/** Whole bodies up to this size go out as one string with the head: one copy is cheaper than a second buffer to write. */
const ONE_WRITE = 16 * 1024;
const NONE_TRIED: readonly EndpointPool[] = [];

/**
 * One request on its way: read, routed, sent to an endpoint, answered, reported. Lives from the end of the request's head to
 * the end of its response. What the gateway answers itself it answers as Envoy's router does.
 */
export class ProxiedRequest implements ExchangeHandler, UpstreamUser, Outcome {
  readonly listener: Listener;
  readonly exchange: ClientExchange;
  readonly startedAt = performance.now();
  request: IncomingRequest | undefined;
  rule: string | undefined;
  status = 0;
  flag = '-';
  details: string | undefined;
  trace: Outcome['trace'];
  failureReason: string | undefined;
  bytesReceived = 0;
  bytesSent = 0;
  upstreamMs: number | undefined;

  private readonly context: ForwardingContext;
  private forward: Forward | undefined;
  private sent: SentRequest | undefined;
  private head = '';
  private tried: readonly EndpointPool[] = NONE_TRIED;
  private pool: EndpointPool | undefined;
  private connection: UpstreamConnection | undefined;
  /** The one that the request was sent on, also once it is given back. */
  private lastConnection: UpstreamConnection | undefined;
  private bodyStarted = false;
  private deadline: NodeJS.Timeout | undefined;
  private sentAt = 0;

  private response: ResponseHead | undefined;
  private headSent = false;
  private answered = false;
  private held: Buffer | undefined;
  private heldStart = 0;
  private heldEnd = 0;
  private clientBlocked = false;

  constructor(context: ForwardingContext, listener: Listener, exchange: ClientExchange) {
    this.context = context;
    this.listener = listener;
    this.exchange = exchange;
    exchange.attach(this);
  }

  /** Reads and routes the request, unless it has come to its end before: while it was held. */
  start(): void {
    if (this.answered || this.flag !== '-') return;
    try {
      this.route();
    } catch (error) {
      // A bug, but not one for which everybody else's requests should fail.
      process.emitWarning(error instanceof Error ? error : String(error));
      this.dropConnection();
      if (this.headSent) this.exchange.destroy();
      else this.answer({ reply: REPLY.internal, edits: NO_EDITS });
    }
  }

  private route(): void {
    const { context, listener, exchange } = this;
    const read = readRequest(exchange, listener.kind, context.limits, context.uuid);
    if ('detail' in read) {
      const { status, detail } = read;
      if (status !== 404) exchange.closeAfterAnswer();
      this.answer({ reply: status === 404 ? REPLY.notFound : refusal(status, detail), edits: NO_EDITS });
      return;
    }
    this.request = read;
    this.sent = { request: read, path: read.path, authority: read.authority, fields: read.fields };
    this.trace = context.tracing?.begin(read);
    const selection =
      listener.kind === 'proxy'
        ? context.table().select('mesh', read.targetPort ?? 80, undefined, read, context.random())
        : context.table().select(listener.kind, listener.port, listener.bind, read, context.random());
    if ('rule' in selection) this.rule = selection.rule;
    if (selection.kind === 'forward') this.forward = selection;
    const own = localAnswer(selection);
    if (own !== undefined) this.answer(own);
    else if (selection.kind === 'forward') this.send(read, selection);
  }

  private send(request: IncomingRequest, { path, authority, request: edits }: Forward): void {
    let fields = editRequestFields(request, edits);
    if (path !== request.path) fields = withOriginalPath(fields, request.path);
    if (this.trace !== undefined) fields = withTrace(fields, this.trace);
    this.sent = { request, path, authority, fields };
    this.head = upstreamHead(this.sent);
    if (!this.attempt(request)) this.answer({ reply: REPLY.noEndpoint, edits: this.forward?.response ?? NO_EDITS });
  }

  /** Sends the request to an endpoint that was not tried yet. False where none is left. */
  private attempt(request: IncomingRequest): boolean {
    const { context } = this;
    const cluster = this.forward?.cluster;
    const pool = cluster && chooseEndpoint(cluster, this.tried, context.pools, context.random);
    if (pool === undefined) return false;
    this.pool = pool;
    this.sentAt = performance.now();
    this.sendOn(pool.acquire(this.sentAt), request);
    return true;
  }

  private sendOn(connection: UpstreamConnection, request: IncomingRequest): void {
    this.connection = connection;
    this.lastConnection = connection;
    const hasBody = request.framing !== 'none';
    connection.begin(this, this.head, request.method === 'HEAD', request.upgrade !== undefined, hasBody);
    if (!hasBody) this.startDeadline();
    else if (connection.connected) this.startBody();
  }

  /** The time of a route counts from the end of the request. */
  private startDeadline(): void {
    const timeoutMs = this.forward?.timeoutMs ?? 0;
    if (timeoutMs > 0 && this.deadline === undefined && !this.answered) this.deadline = setTimeout(() => this.onDeadline(), timeoutMs);
  }

  private onDeadline(): void {
    if (this.response === undefined) this.reportHealth(504);
    this.dropConnection();
    this.abort(REPLY.timeout);
  }

  private startBody(): void {
    if (this.bodyStarted) return;
    this.bodyStarted = true;
    this.exchange.startBody();
  }

  // The client's request.

  requestData(chunk: Uint8Array): void {
    this.bytesReceived += chunk.length;
    const { connection } = this;
    if (connection === undefined) return;
    const more = this.request?.framing === 'chunked' ? connection.writeChunk(chunk) : connection.write(chunk);
    if (!more) this.exchange.pauseBody();
  }

  requestEnd(received: readonly string[]): void {
    const { request } = this;
    if (request === undefined) return;
    let trailers: string[] | undefined;
    if (received.length > 0) {
      const { trailerBytes, requestHeaderCount } = this.context.limits;
      if (received.length > 2 * requestHeaderCount || trailerSize(received) > trailerBytes) {
        this.exchange.closeAfterAnswer();
        this.requestFailed(431);
        return;
      }
      trailers = forwardedTrailers(received, request.nominated);
    }
    this.connection?.endRequest(request.framing === 'chunked', trailers);
    this.startDeadline();
  }

  requestFailed(status: number): void {
    this.dropConnection();
    if (!this.answered) this.abort(refusal(status, ''));
  }

  requestStuck(): void {
    if (!this.answered) this.onDeadline();
  }

  clientDrained(): void {
    this.clientBlocked = false;
    this.connection?.resume();
  }

  clientClosed(finished: boolean): void {
    this.dropConnection();
    clearTimeout(this.deadline);
    if (!finished && this.flag === '-') {
      this.flag = 'DC';
      this.details = CLIENT_LEFT;
    }
    this.context.reporter.report(this);
  }

  // The upstream's response.

  upstreamConnected(): void {
    if (this.request?.framing !== 'none') this.startBody();
  }

  upstreamDrained(): void {
    this.exchange.resumeBody();
  }

  responseInterim({ status, reason, fields }: ResponseHead): void {
    this.exchange.inform(status, reason, fields);
  }

  responseHead(head: ResponseHead): void {
    this.upstreamMs = performance.now() - this.sentAt;
    this.response = head;
    this.reportHealth(head.status);
    if (head.status > 599 && this.exchange.version === '2') {
      // No status of HTTP (RFC 9110 section 15), and none that Node's HTTP/2 would send.
      this.dropConnection();
      this.abort(REPLY.protocol);
    } else if (head.status === 101) {
      this.switchProtocols(head);
    }
  }

  responseData(buffer: Buffer, start: number, end: number): void {
    // One piece is held back until the read is over: it may be the last, and then one write does for all.
    if (this.held !== undefined) this.writeHeld();
    this.held = buffer;
    this.heldStart = start;
    this.heldEnd = end;
  }

  upstreamReadDone(): boolean {
    if (this.held !== undefined) {
      this.writeHeld();
    } else if (this.response !== undefined && !this.headSent) {
      this.sendHead(this.response);
      this.exchange.flushHead();
    }
    return !this.clientBlocked;
  }

  responseEnd(received: readonly string[] | undefined): void {
    const { held, response } = this;
    if (response === undefined) return;
    const trailers = received && forwardedTrailers(received, response.nominated);
    // Only a head that went out before its body can be followed by trailers.
    if (trailers !== undefined && !this.headSent) this.sendHead(response);
    const length = held === undefined ? 0 : this.heldEnd - this.heldStart;
    this.bytesSent += length;
    this.answered = true;
    clearTimeout(this.deadline);
    if (this.headSent) {
      this.exchange.end(held && this.kept(held), trailers);
    } else {
      this.headSent = true;
      this.exchange.respond(response.status, response.reason, this.responseFields(response), this.wholeBody(held, length));
    }
    this.held = undefined;
    this.reuseIfFlushed();
    this.connection = undefined;
  }

  upstreamFailed(failure: UpstreamFailure, detail: string): void {
    const { connection, request } = this;
    this.connection = undefined;
    this.held = undefined;
    if (request === undefined) return;
    this.reportHealth(503);
    if (this.response === undefined && connection !== undefined && this.tryAgain(failure, connection, request)) return;
    if (failure === 'connect') this.failureReason = detail;
    this.abort(REPLY[failure]);
  }

  /** Tells outlier detection, where the cluster has it. */
  private reportHealth(status: number): void {
    const cluster = this.forward?.cluster;
    if (cluster?.outlier !== undefined && this.pool !== undefined) this.context.pools.health.report(cluster, this.pool, status);
  }

  private wholeBody(held: Buffer | undefined, length: number): string | Uint8Array | undefined {
    if (held === undefined) return undefined;
    if (length <= ONE_WRITE) return held.toString('latin1', this.heldStart, this.heldEnd);
    return this.kept(held);
  }

  /** The piece held back, as bytes that stay as they are. */
  private kept(held: Buffer): Buffer {
    const { connection, heldStart, heldEnd } = this;
    return connection === undefined ? Buffer.from(held.subarray(heldStart, heldEnd)) : connection.keep(held, heldStart, heldEnd);
  }

  private reuseIfFlushed(): void {
    if (this.exchange.flushed) this.connection?.reuse();
  }

  /** Only what cannot have been executed is sent again. */
  private tryAgain(failure: UpstreamFailure, connection: UpstreamConnection, request: IncomingRequest): boolean {
    const { pool } = this;
    if (pool === undefined) return false;
    if (failure === 'connect' || failure === 'connect-timeout') {
      this.tried = [...this.tried, pool];
      return this.tried.length < this.context.limits.connectAttempts && this.attempt(request);
    }
    const stale = failure === 'closed' && connection.reused && !connection.answered;
    if (!stale || request.framing !== 'none' || (request.method !== 'GET' && request.method !== 'HEAD')) return false;
    // On a new one, as the upstream may be closing all the others at this moment; and so it happens once.
    this.sentAt = performance.now();
    this.sendOn(pool.acquireNew(this.sentAt), request);
    return true;
  }

  private sendHead(response: ResponseHead): void {
    this.headSent = true;
    this.exchange.respondHead(response.status, response.reason, this.responseFields(response));
  }

  private responseFields(response: ResponseHead): string[] {
    this.status = response.status;
    this.details = VIA_UPSTREAM;
    const edits = this.forward?.response ?? NO_EDITS;
    const { sent } = this;
    let { fields } = response;
    if (edits.length > 0 && sent !== undefined) fields = editResponseFields(fields, edits, sent, response.status);
    if (!response.hasServer) nameServer(fields);
    return fields;
  }

  private writeHeld(): void {
    const { held, response } = this;
    if (held === undefined || response === undefined) return;
    this.held = undefined;
    if (!this.headSent) this.sendHead(response);
    this.bytesSent += this.heldEnd - this.heldStart;
    if (!this.exchange.write(this.kept(held))) this.clientBlocked = true;
    this.reuseIfFlushed();
  }

  private switchProtocols(head: ResponseHead): void {
    const { connection } = this;
    if (connection === undefined) return;
    clearTimeout(this.deadline);
    const fields = this.responseFields(head);
    fields.push('connection', 'upgrade', 'upgrade', head.upgrade ?? '');
    this.headSent = true;
    this.answered = true;
    const client = this.exchange.switchProtocols(head.reason, fields);
    connection.becomeTunnel(
      new Tunnel(client, connection, {
        received: (bytes) => {
          this.bytesReceived += bytes;
        },
        sent: (bytes) => {
          this.bytesSent += bytes;
        },
      }),
    );
    this.connection = undefined;
  }

  // Answers of the gateway's own.

  /** Ends the request with a reply, or, where a response has begun, by cutting it off. */
  private abort(reply: LocalReply): void {
    if (this.headSent) {
      this.flag = reply.flag;
      this.details = detailsOnceBegun(reply.details);
      this.exchange.destroy();
    } else {
      this.answer({ reply, edits: this.forward?.response ?? NO_EDITS });
    }
  }

  private answer(answer: LocalAnswer): void {
    clearTimeout(this.deadline);
    const { status, flag, details, body: text } = answer.reply;
    this.status = status;
    this.flag = flag;
    this.details = details;
    this.headSent = true;
    this.answered = true;
    const body = typeof text === 'string' ? Buffer.from(text) : text;
    this.bytesSent = this.exchange.method === 'HEAD' ? 0 : body.length;
    this.exchange.respond(status, reasonOf(status), localFields(answer, this.sent), body.length === 0 ? undefined : body);
  }

  private dropConnection(): void {
    const { connection } = this;
    this.connection = undefined;
    this.held = undefined;
    connection?.abandon();
  }

  // What is reported at the end.

  get requestId(): string | undefined {
    return this.sent && sentRequestId(this.sent);
  }

  get upstreamHost(): string | undefined {
    return this.pool && `${this.pool.endpoint.address}:${this.pool.endpoint.port}`;
  }

  get upstreamLocalAddress(): string | undefined {
    return this.lastConnection?.localAddress;
  }

  get destination(): Outcome['destination'] {
    return this.forward?.destination;
  }

  get cluster(): Outcome['cluster'] {
    return this.forward?.cluster;
  }

  /** As the cluster has it: a pool may have been made for another one at the same address. */
  get endpoint(): Outcome['endpoint'] {
    const { cluster, pool } = this;
    if (cluster === undefined || pool === undefined) return undefined;
    const { endpoints } = cluster;
    if (endpoints.includes(pool.endpoint)) return pool.endpoint;
    const { address, port } = pool.endpoint;
    return endpoints.find((each) => each.address === address && each.port === port);
  }
}
