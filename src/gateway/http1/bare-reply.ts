import { httpDate } from '../http-date.ts';
import { reasonOf } from '../local-reply.ts';

/** The answer to bytes that are no request; the connection closes after it. */
export function bareReply(status: number): string {
  // RFC 9110 section 15.5.22: 426 says what to upgrade to.
  const upgrade = status === 426 ? 'upgrade: HTTP/1.1\r\n' : '';
  return `HTTP/1.1 ${status} ${reasonOf(status)}\r\n${upgrade}content-length: 0\r\ndate: ${httpDate()}\r\nserver: perch\r\nconnection: close\r\n\r\n`;
}
