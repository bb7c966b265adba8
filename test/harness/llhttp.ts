import { createRequire } from 'node:module';

/** A message as llhttp read it. Text is latin1. */
export interface LlhttpMessage {
  /** Of a request, else empty. */
  method: string;
  /** Of a request, else empty. */
  target: string;
  /** Of a response, else 0. */
  status: number;
  /** Such as `1.1`. */
  version: string;
  /** name, value, name, value, ... as received, without the space around values. */
  readonly fields: string[];
  readonly trailers: string[];
  body: string;
  /** Its last byte was there. */
  complete: boolean;
  headComplete: boolean;
  /** Offset of the byte after it, from the first byte that the parser was given; -1 where it is not complete. */
  end: number;
}

/** What is used of llhttp's exports (undici lib/llhttp; github.com/nodejs/llhttp, src/native/api.h). */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  malloc(size: number): number;
  llhttp_alloc(type: number): number;
  llhttp_free(parser: number): void;
  llhttp_execute(parser: number, at: number, length: number): number;
  llhttp_finish(parser: number): number;
  llhttp_resume(parser: number): void;
  llhttp_resume_after_upgrade(parser: number): void;
  llhttp_get_error_pos(parser: number): number;
  llhttp_get_error_reason(parser: number): number;
  llhttp_get_http_major(parser: number): number;
  llhttp_get_http_minor(parser: number): number;
  llhttp_get_method(parser: number): number;
  llhttp_method_name(method: number): number;
}

type Import = (parser: number, at: number, length: number) => number;

interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: { readonly env: Readonly<Record<string, Import>> }) => { readonly exports: Exports };
}

const REQUEST = 1;
const RESPONSE = 2;
const OK = 0;
const PAUSED = 21;
const PAUSED_UPGRADE = 22;
const BUFFER_SIZE = 512 * 1024;

const NOTHING = 0;
const NAME = 1;
const VALUE = 2;

/** The parser that is running: callbacks come while `execute` does. */
let current: LlhttpParser | undefined;

const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: WebAssemblyApi };
const { Module, Instance } = WebAssembly;
const require = createRequire(import.meta.url);
const llhttp = new Instance(new Module(require('undici/lib/llhttp/llhttp-wasm.js') as Uint8Array), {
  env: {
    wasm_on_message_begin: () => current?.onBegin() ?? OK,
    wasm_on_url: (_parser, at, length) => current?.onTarget(at, length) ?? OK,
    wasm_on_status: () => OK,
    wasm_on_header_field: (_parser, at, length) => current?.onName(at, length) ?? OK,
    wasm_on_header_value: (_parser, at, length) => current?.onValue(at, length) ?? OK,
    wasm_on_headers_complete: (_parser, status) => current?.onHead(status) ?? OK,
    wasm_on_body: (_parser, at, length) => current?.onBody(at, length) ?? OK,
    wasm_on_message_complete: () => current?.onComplete() ?? OK,
  },
}).exports;
const input = llhttp.malloc(BUFFER_SIZE);

let memory: Buffer = Buffer.alloc(0);

function bytesOfMemory(): Buffer {
  if (memory.buffer !== llhttp.memory.buffer) memory = Buffer.from(llhttp.memory.buffer);
  return memory;
}

function text(at: number, length: number): string {
  return bytesOfMemory().toString('latin1', at, at + length);
}

function cString(at: number): string {
  if (at === 0) return '';
  const bytes = bytesOfMemory();
  return bytes.toString('latin1', at, bytes.indexOf(0, at));
}

/** How a parser takes what it reads. */
export interface LlhttpOptions {
  /** Whether the response with this ordinal (of those that are not 1xx) answers a HEAD. */
  readonly toHead?: (ordinal: number) => boolean;
}

/**
 * llhttp, strict, as it is shipped in undici: Node's own parser, apart from Node. It is the judge of what a message is. An upgrade, or a
 * CONNECT, is read as a plain request.
 */
export class LlhttpParser {
  readonly messages: LlhttpMessage[] = [];
  /** Why the input is no HTTP; nothing is read after that. */
  error: string | undefined;

  private readonly parser: number;
  private readonly options: LlhttpOptions;
  private message: LlhttpMessage | undefined;
  private consumed = 0;
  private expecting = NOTHING;
  private final = 0;

  constructor(kind: 'request' | 'response', options: LlhttpOptions = {}) {
    this.parser = llhttp.llhttp_alloc(kind === 'request' ? REQUEST : RESPONSE);
    this.options = options;
  }

  /** Reads on. */
  execute(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && this.error === undefined; at += BUFFER_SIZE) this.piece(bytes.subarray(at, at + BUFFER_SIZE));
  }

  /** The other side has closed: the end of a message that has no other. */
  finish(): void {
    if (this.error !== undefined) return;
    current = this;
    if (llhttp.llhttp_finish(this.parser) !== OK && this.message?.complete !== true) this.fail();
    current = undefined;
    const last = this.messages.at(-1);
    if (last?.complete === true && last.end < 0) last.end = this.consumed;
  }

  /** The message that has begun and not ended. */
  get unfinished(): LlhttpMessage | undefined {
    const last = this.messages.at(-1);
    return last?.complete === false ? last : undefined;
  }

  /** Gives its memory back; a parser is not used after that. */
  free(): void {
    llhttp.llhttp_free(this.parser);
  }

  private piece(bytes: Uint8Array): void {
    bytesOfMemory().set(bytes, input);
    let at = 0;
    current = this;
    for (;;) {
      const result = llhttp.llhttp_execute(this.parser, input + at, bytes.length - at);
      if (result === OK) break;
      if (result !== PAUSED && result !== PAUSED_UPGRADE) {
        this.fail();
        break;
      }
      at = llhttp.llhttp_get_error_pos(this.parser) - input;
      const last = this.messages.at(-1);
      if (last?.complete && last.end < 0) last.end = this.consumed + at;
      if (result === PAUSED) llhttp.llhttp_resume(this.parser);
      else llhttp.llhttp_resume_after_upgrade(this.parser);
      if (at >= bytes.length) break;
    }
    current = undefined;
    this.consumed += bytes.length;
  }

  private fail(): void {
    this.error = cString(llhttp.llhttp_get_error_reason(this.parser)) || 'no HTTP';
  }

  // Callbacks of llhttp.

  onBegin(): number {
    this.expecting = NOTHING;
    this.message = {
      ...{ method: '', target: '', status: 0, version: '', fields: [], trailers: [], body: '' },
      ...{ complete: false, headComplete: false, end: -1 },
    };
    this.messages.push(this.message);
    return OK;
  }

  onTarget(at: number, length: number): number {
    if (this.message !== undefined) this.message.target += text(at, length);
    return OK;
  }

  onName(at: number, length: number): number {
    const lines = this.lines();
    if (this.expecting === NAME) lines.push((lines.pop() ?? '') + text(at, length));
    else {
      if (this.expecting === VALUE) this.endValue(lines);
      lines.push(text(at, length));
    }
    this.expecting = NAME;
    return OK;
  }

  onValue(at: number, length: number): number {
    const lines = this.lines();
    lines.push((this.expecting === VALUE ? (lines.pop() ?? '') : '') + text(at, length));
    this.expecting = VALUE;
    return OK;
  }

  onHead(status: number): number {
    const { message, parser } = this;
    if (message === undefined) return OK;
    this.endValue(message.fields);
    this.expecting = NOTHING;
    message.headComplete = true;
    message.version = `${llhttp.llhttp_get_http_major(parser)}.${llhttp.llhttp_get_http_minor(parser)}`;
    message.status = status;
    if (status === 0) message.method = cString(llhttp.llhttp_method_name(llhttp.llhttp_get_method(parser)));
    const isFinal = status >= 200;
    const skipBody = isFinal && this.options.toHead?.(this.final) === true;
    if (isFinal) this.final++;
    return skipBody ? 1 : OK;
  }

  onBody(at: number, length: number): number {
    if (this.message !== undefined) this.message.body += text(at, length);
    return OK;
  }

  onComplete(): number {
    const { message } = this;
    if (message === undefined) return OK;
    this.endValue(message.trailers);
    this.expecting = NOTHING;
    message.complete = true;
    // The only way to learn where it ended.
    return PAUSED;
  }

  private lines(): string[] {
    const { message } = this;
    if (message === undefined) return [];
    return message.headComplete ? message.trailers : message.fields;
  }

  /** llhttp gives a value with the space after it, and none where it is empty. */
  private endValue(lines: string[]): void {
    if (lines.length % 2 === 1) lines.push('');
    else if (lines.length > 0) lines.push((lines.pop() ?? '').replace(/[ \t]+$/, ''));
  }
}
