import { FIELD, fieldName } from './header-names.ts';
import { connectionOptions, nominatedHeaders, withoutFields } from './hop-by-hop.ts';

/** How the end of a message's body is told (RFC 9112 section 6.3). */
export type Framing = 'none' | 'length' | 'chunked' | 'close';

/** Head of an upstream's final response (or 101), without the headers of its connection. */
export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  /** name, value, name, value, ...; names in lower case; hop-by-hop headers taken out. */
  readonly fields: string[];
  readonly framing: Framing;
  /** Bytes of the body where framing is `length`, else 0. */
  readonly contentLength: number;
  /** Whether the connection may serve another request after this response. */
  readonly keepAlive: boolean;
  /** Milliseconds of `Keep-Alive: timeout=N`, where the upstream said so. */
  readonly keepAliveMs: number | undefined;
  /** The `Upgrade` header. */
  readonly upgrade: string | undefined;
  /** Fields that its `Connection` header took out, which its trailers must not have either. */
  readonly nominated: readonly string[] | undefined;
  /** Whether the upstream named its server software. */
  readonly hasServer: boolean;
}

/** What is wrong with a response's head; the request ends with 502 UPE. */
export interface InvalidHead {
  readonly invalid: string;
}

const DIGITS = /^[0-9]{1,15}$/;

/**
 * Interprets the head of a response whose bytes were already checked. `text` is the head in latin1; `marks` are four
 * offsets into it per header line: name start, name end, value start, value end.
 * Refuses whatever two parsers could read differently: both lengths, several lengths, unknown transfer codings.
 */
export function interpretResponseHead(
  text: string,
  statusLineEnd: number,
  marks: readonly number[],
  count: number,
  toHead: boolean,
): ResponseHead | InvalidHead {
  const http11 = text.startsWith('HTTP/1.1 ');
  if (!http11 && !text.startsWith('HTTP/1.0 ')) return { invalid: 'status line without HTTP/1.1 or HTTP/1.0' };
  const code = text.slice(9, 12);
  const status = Number(code);
  if (!(status >= 100 && status <= 999) || !/^[0-9]{3}$/.test(code)) return { invalid: 'status is not a number of three digits' };
  if (statusLineEnd > 12 && text.charCodeAt(12) !== 0x20) return { invalid: 'status is not a number of three digits' };

  const lines = new HeaderLines();
  for (let at = 0; at < count; at += 4) {
    lines.add(text.slice(marks[at], marks[at + 1]), text.slice(marks[at + 2], marks[at + 3]));
  }
  return lines.conclude(http11, status, text.slice(13, statusLineEnd), toHead);
}

/** Collects header lines and draws the conclusions about framing and connection. */
class HeaderLines {
  private readonly fields: string[] = [];
  private contentLength: string | undefined;
  private transferEncoding: string | undefined;
  private options: string[] | undefined;
  private keepAliveMs: number | undefined;
  private upgrade: string | undefined;
  private trailer: string | undefined;
  private hasServer = false;
  private repeated = false;

  add(rawName: string, value: string): void {
    const name = fieldName(rawName);
    switch (name.kind) {
      case FIELD.hopByHop:
      case FIELD.te:
        return;
      case FIELD.trailer:
        this.trailer = this.trailer === undefined ? value : `${this.trailer}, ${value}`;
        return;
      case FIELD.connection:
        this.options = this.options === undefined ? connectionOptions(value) : [...this.options, ...connectionOptions(value)];
        return;
      case FIELD.keepAlive: {
        const timeout = /(?:^|[,; ])timeout=([0-9]{1,6})/i.exec(value)?.[1];
        if (timeout !== undefined) this.keepAliveMs = Number(timeout) * 1000;
        return;
      }
      case FIELD.transferEncoding:
        if (this.transferEncoding !== undefined) this.repeated = true;
        this.transferEncoding = value;
        return;
      case FIELD.upgrade:
        this.upgrade = value;
        return;
      case FIELD.contentLength:
        if (this.contentLength !== undefined) this.repeated = true;
        this.contentLength = value;
        break;
      case FIELD.server:
        this.hasServer = true;
        break;
      default:
    }
    this.fields.push(name.lower, value);
  }

  conclude(http11: boolean, status: number, reason: string, toHead: boolean): ResponseHead | InvalidHead {
    const invalid = this.ambiguity(http11);
    if (invalid !== undefined) return { invalid };
    const bodyless = toHead || status < 200 || status === 204 || status === 304;
    const framing: Framing = bodyless
      ? 'none'
      : this.transferEncoding !== undefined
        ? 'chunked'
        : this.contentLength === undefined
          ? 'close'
          : 'length';
    let fields = this.fields;
    if (this.trailer !== undefined && framing === 'chunked') fields.push('trailer', this.trailer);
    let nominated: readonly string[] | undefined;
    if (this.options !== undefined) {
      nominated = nominatedHeaders(this.options);
      if (nominated.length > 0) fields = withoutFields(fields, nominated);
    }
    // RFC 9110 section 8.6: no Content-Length in these.
    if (this.contentLength !== undefined && (status < 200 || status === 204)) fields = withoutFields(fields, ['content-length']);
    const close = this.options?.includes('close') === true;
    const keepAlive = framing !== 'close' && !close && (http11 || this.options?.includes('keep-alive') === true);
    return {
      status,
      reason,
      fields,
      framing,
      contentLength: framing === 'length' ? Number(this.contentLength) : 0,
      keepAlive,
      keepAliveMs: this.keepAliveMs,
      upgrade: this.upgrade,
      nominated,
      hasServer: this.hasServer,
    };
  }

  private ambiguity(http11: boolean): string | undefined {
    if (this.repeated) return 'several Content-Length or Transfer-Encoding headers';
    if (this.contentLength !== undefined && !DIGITS.test(this.contentLength)) return 'Content-Length is not a number';
    if (this.transferEncoding === undefined) return undefined;
    if (this.contentLength !== undefined) return 'both Content-Length and Transfer-Encoding';
    if (!http11) return 'Transfer-Encoding on HTTP/1.0';
    return this.transferEncoding.toLowerCase() === 'chunked' ? undefined : 'Transfer-Encoding other than chunked';
  }
}
