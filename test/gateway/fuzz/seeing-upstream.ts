import { type LlhttpMessage, LlhttpParser } from '../../harness/llhttp.ts';
import { type Origin, startTcpOrigin } from '../origins.ts';
import { fieldOf } from './request-property.ts';

/** An upstream that answers each request with the id that the edge gave it. */
export interface SeeingUpstream {
  readonly origin: Origin;
  /** Requests that no answer has been found for yet, by `x-request-id`. */
  readonly seen: Map<string, LlhttpMessage>;
  /** What was no HTTP, or had no id. */
  readonly errors: string[];
  /** Whole requests so far. */
  readonly requests: () => number;
}

/** The response to the request with this id: its framing goes by the id. */
function answer(id: string, method: string): string {
  const head = `HTTP/1.1 200 OK\r\nx-seen: ${id}\r\n`;
  const body = `seen ${id}`;
  switch (id.charCodeAt(0) % 4) {
    case 0:
      return `${head}transfer-encoding: chunked\r\n\r\n${method === 'HEAD' ? '' : `3\r\n${body.slice(0, 3)}\r\n${(body.length - 3).toString(16)}\r\n${body.slice(3)}\r\n0\r\n\r\n`}`;
    case 1:
      return `HTTP/1.1 103 Early Hints\r\nlink: <${id}>\r\n\r\n${head}content-length: ${body.length}\r\n\r\n${method === 'HEAD' ? '' : body}`;
    default:
      return `${head}content-length: ${body.length}\r\n\r\n${method === 'HEAD' ? '' : body}`;
  }
}

/** Starts it. What a request is llhttp says. */
export async function startSeeingUpstream(): Promise<SeeingUpstream> {
  const seen = new Map<string, LlhttpMessage>();
  const errors: string[] = [];
  let requests = 0;
  const origin = await startTcpOrigin((socket) => {
    const parser = new LlhttpParser('request');
    socket.on('data', (bytes: Buffer) => {
      parser.execute(bytes);
      if (parser.error !== undefined) errors.push(`${parser.error}: ${JSON.stringify(bytes.toString('latin1'))}`);
      const { unfinished } = parser;
      for (const message of parser.messages.splice(0)) {
        if (!message.complete) continue;
        requests++;
        const id = fieldOf(message.fields, 'x-request-id');
        if (id === undefined || seen.has(id)) errors.push(`a request without an id of its own: ${JSON.stringify(message)}`);
        else seen.set(id, message);
        socket.write(answer(id ?? '', message.method), 'latin1');
      }
      if (unfinished !== undefined) parser.messages.push(unfinished);
    });
    socket.on('end', () => socket.end());
    socket.on('close', () => parser.free());
  });
  return { origin, seen, errors, requests: () => requests };
}
