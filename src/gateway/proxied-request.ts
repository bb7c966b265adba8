import type { HeaderEdits } from '../core/routing/header-edits.ts';
import type { Cluster, RouteTable, Selection } from '../core/routing/selection.ts';
import { chooseEndpoint } from './choose-endpoint.ts';
import type { ClientExchange, ExchangeHandler } from './client-exchange.ts';
import { editRequestFields, editResponseFields, type SentRequest } from './edit-fields.ts';
import { type IncomingRequest, type ListenerKind, readRequest } from './incoming-request.ts';
import { LIMITS } from './limits.ts';
import { type LocalReply, localFields, REPLY, reasonOf } from './local-reply.ts';
import type { RequestReporter } from './request-report.ts';
import type { ResponseHead } from './response-head.ts';
import { Tunnel } from './tunnel.ts';
import type { UpstreamConnection, UpstreamFailure, UpstreamUser } from './upstream-connection.ts';
import { upstreamHead } from './upstream-head.ts';
import type { EndpointPool, UpstreamPools } from './upstream-pools.ts';

/** What every request of a gateway shares. */
export interface ForwardingContext {
  /** The table of this moment. */
  table(): RouteTable;
  readonly pools: UpstreamPools;
  readonly reporter: RequestReporter;
  readonly random: () => number;
  readonly uuid: () => string;
}

/** The socket that a request came in by. */
export interface Listener {
  readonly kind: ListenerKind;
  /** Declared port. */
  readonly port: number;
  readonly bind: string | undefined;
}

type Forward = Extract<Selection, { kind: 'forward' }>;

const NO_EDITS: HeaderEdits = [];
/** Whole bodies up to this size go out as one string with the head: one copy is cheaper than a second buffer to write. */
const ONE_WRITE = 16 * 1024;

/**
 * One request on its way: read, routed, sent to an endpoint, answered, reported. Lives from the end of the request's head to
 * the end of its response. What the gateway answers itself it answers as Envoy's router does.
 */
export class ProxiedRequest implements ExchangeHandler, UpstreamUser {
  private readonly context: ForwardingContext;
  private readonly listener: Listener;
  private readonly exchange: ClientExchange;
  private readonly startedAt = performance.now();

  private request: IncomingRequest | undefined;
  private rule: string | undefined;
  private forward: Forward | undefined;
  private cluster: Cluster | undefined;
  private sent: SentRequest | undefined;
  private head = '';
  private tried: EndpointPool[] = [];
  private pool: EndpointPool | undefined;
  private connection: UpstreamConnection | undefined;
  private retriedStale = false;
  private bodyStarted = false;
  private deadline: NodeJS.Timeout | undefined;

  private response: ResponseHead | undefined;
  private headSent = false;
  private answered = false;
  private held: Buffer | undefined;
  private heldStart = 0;
  private heldEnd = 0;
  private clientBlocked = false;

  private status = 0;
  private flag = '-';
  private bytesReceived = 0;
  private bytesSent = 0;
  private sentAt = 0;
  private upstreamMs: number | undefined;

  constructor(context: ForwardingContext, listener: Listener, exchange: ClientExchange) {
    this.context = context;
    this.listener = listener;
    this.exchange = exchange;
    exchange.attach(this);
  }

  /** Reads and routes the request. */
  start(): void {
    try {
      this.route();
    } catch (error) {
      // A bug, but not one for which everybody else's requests should fail.
      process.emitWarning(error instanceof Error ? error : String(error));
      this.dropConnection();
      if (!this.headSent) this.reply(REPLY.internal, NO_EDITS);
    }
  }

  private route(): void {
    const read = readRequest(this.exchange, this.listener.kind, this.context.uuid);
    if ('detail' in read) {
      if (read.status === 404) {
        this.reply(REPLY.notFound, NO_EDITS);
      } else {
        this.exchange.closeAfterAnswer();
        this.reply({ status: read.status, flag: 'DPE', body: read.detail }, NO_EDITS);
      }
      return;
    }
    this.request = read;
    this.sent = { request: read, path: read.path, authority: read.authority, fields: read.fields };
    const { context, listener } = this;
    const selection =
      listener.kind === 'proxy'
        ? context.table().select('mesh', read.targetPort ?? 80, undefined, read, context.random())
        : context.table().select(listener.kind, listener.port, listener.bind, read, context.random());
    this.follow(selection, read);
  }

  private follow(selection: Selection, request: IncomingRequest): void {
    switch (selection.kind) {
      case 'none':
        this.reply(REPLY.notFound, NO_EDITS);
        return;
      case 'blocked':
        this.reply(REPLY.blocked, NO_EDITS);
        return;
      case 'redirect':
        this.rule = selection.rule;
        this.reply({ status: selection.status, flag: '-', body: '' }, selection.response, selection.location);
        return;
      case 'direct':
        this.rule = selection.rule;
        this.reply({ status: selection.status, flag: '-', body: selection.body }, selection.response);
        return;
      case 'forward':
        this.rule = selection.rule;
        this.forward = selection;
        this.cluster = selection.cluster;
        if (this.cluster === undefined) this.reply(REPLY.noCluster, selection.response);
        else if (this.cluster.endpoints.length === 0) this.reply(REPLY.noEndpoint, selection.response);
        else {
          const { path, authority } = selection;
          this.sent = { request, path, authority, fields: editRequestFields(request, selection.request) };
          this.head = upstreamHead(this.sent);
          this.attempt(request);
        }
    }
  }

  /** Sends the request to an endpoint that was not tried yet. False where none is left. */
  private attempt(request: IncomingRequest): boolean {
    const { context, cluster } = this;
    const pool = cluster && chooseEndpoint(cluster.endpoints, this.tried, context.pools, context.random);
    if (pool === undefined) return false;
    this.pool = pool;
    this.sendTo(pool, request);
    return true;
  }

  private sendTo(pool: EndpointPool, request: IncomingRequest): void {
    const now = performance.now();
    const connection = pool.acquire(now);
    this.connection = connection;
    this.sentAt = now;
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

  requestEnd(): void {
    this.connection?.endRequest(this.request?.framing === 'chunked');
    this.startDeadline();
  }

  requestFailed(status: 400 | 408): void {
    this.dropConnection();
    if (!this.answered) this.abort({ status, flag: 'DPE', body: '' });
  }

  clientDrained(): void {
    this.clientBlocked = false;
    this.connection?.resume();
  }

  clientClosed(finished: boolean): void {
    this.dropConnection();
    clearTimeout(this.deadline);
    if (!finished && this.flag === '-') this.flag = 'DC';
    this.report();
  }

  // The upstream's response.

  upstreamConnected(): void {
    if (this.request?.framing !== 'none') this.startBody();
  }

  upstreamDrained(): void {
    this.exchange.resumeBody();
  }

  responseHead(head: ResponseHead): void {
    this.upstreamMs = performance.now() - this.sentAt;
    this.response = head;
    if (head.status === 101) this.switchProtocols(head);
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

  responseEnd(): void {
    const { held, response } = this;
    if (response === undefined) return;
    const length = held === undefined ? 0 : this.heldEnd - this.heldStart;
    this.bytesSent += length;
    this.answered = true;
    clearTimeout(this.deadline);
    if (this.headSent) {
      this.exchange.end(held && this.kept(held));
    } else {
      this.headSent = true;
      this.exchange.respond(response.status, response.reason, this.responseFields(response), this.wholeBody(held, length));
    }
    this.held = undefined;
    this.reuseIfFlushed();
    this.connection = undefined;
  }

  upstreamFailed(failure: UpstreamFailure, _detail: string): void {
    const { connection, request } = this;
    this.connection = undefined;
    this.held = undefined;
    if (request === undefined) return;
    if (this.response === undefined && connection !== undefined && this.tryAgain(failure, connection, request)) return;
    this.abort(REPLY[failure]);
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
      this.tried.push(pool);
      return this.tried.length < LIMITS.connectAttempts && this.attempt(request);
    }
    const stale = failure === 'closed' && connection.reused && !connection.answered && !this.retriedStale;
    if (!stale || request.framing !== 'none' || (request.method !== 'GET' && request.method !== 'HEAD')) return false;
    this.retriedStale = true;
    this.sendTo(pool, request);
    return true;
  }

  private sendHead(response: ResponseHead): void {
    this.headSent = true;
    this.exchange.respondHead(response.status, response.reason, this.responseFields(response));
  }

  private responseFields(response: ResponseHead): string[] {
    this.status = response.status;
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
      this.exchange.destroy();
    } else {
      this.reply(reply, this.forward?.response ?? NO_EDITS);
    }
  }

  private reply(reply: LocalReply, edits: HeaderEdits, location?: string): void {
    clearTimeout(this.deadline);
    this.status = reply.status;
    this.flag = reply.flag;
    this.headSent = true;
    this.answered = true;
    let fields = localFields(reply.status, reply.body);
    if (location !== undefined) fields.push('location', location);
    if (edits.length > 0 && this.sent !== undefined) fields = editResponseFields(fields, edits, this.sent, reply.status);
    nameServer(fields);
    const body = typeof reply.body === 'string' ? Buffer.from(reply.body) : reply.body;
    this.bytesSent = this.exchange.method === 'HEAD' ? 0 : body.length;
    this.exchange.respond(reply.status, reasonOf(reply.status), fields, body.length === 0 ? undefined : body);
  }

  private dropConnection(): void {
    const { connection } = this;
    this.connection = undefined;
    this.held = undefined;
    connection?.abandon();
  }

  private report(): void {
    const { forward, pool } = this;
    this.context.reporter.report({
      listener: this.listener.kind,
      exchange: this.exchange,
      request: this.request,
      requestId: this.sent && sentRequestId(this.sent),
      startedAt: this.startedAt,
      status: this.status,
      flag: this.flag,
      bytesReceived: this.bytesReceived,
      bytesSent: this.bytesSent,
      upstreamMs: this.upstreamMs,
      upstreamHost: pool && `${pool.endpoint.address}:${pool.endpoint.port}`,
      rule: this.rule,
      destination: forward?.destination,
    });
  }
}

/** A route may have named a server already. */
function nameServer(fields: string[]): void {
  for (let at = 0; at < fields.length; at += 2) if (fields[at] === 'server') return;
  fields.push('server', 'perch');
}

/** The id that the upstream saw: a route's edits may have changed it. */
function sentRequestId({ request, fields }: SentRequest): string {
  if (fields !== request.fields) {
    for (let at = 0; at < fields.length; at += 2) if (fields[at] === 'x-request-id') return fields[at + 1] as string;
  }
  return request.requestId;
}
