import type { CaseListener } from './malformed-request.ts';

/** Bytes that look odd but say one thing only: forwarded, in one canonical form. */
export interface HarmlessRequest {
  /** Document and section that allows it. */
  readonly section: string;
  readonly name: string;
  /** latin1 text. */
  readonly bytes: string;
  /** Exactly what the upstream sees of it: one whole request after the other; none where the gateway answers itself. */
  readonly upstream: readonly string[];
  /** Of the answers, one for each request in `bytes`; 200 for one where absent. */
  readonly statuses?: readonly number[];
  /** Whether what comes behind it on the connection is left unread; else it is served. */
  readonly last?: boolean;
  /** The edge where absent. */
  readonly listener?: CaseListener;
}

/** What stands for the request id that the edge draws. */
export const ID = 'ID';

/** The head that the edge sends on, with these fields of the client before its own, and these lines after them. */
export function sent(start: string, fields = '', after = '', authority = 'shop'): string {
  const own = `x-forwarded-for: 127.0.0.1\r\nx-forwarded-proto: http\r\nx-request-id: ${ID}\r\n`;
  return `${start} HTTP/1.1\r\nhost: ${authority}\r\n${fields}${own}${after}\r\n`;
}
