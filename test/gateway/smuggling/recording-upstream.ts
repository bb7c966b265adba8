import type { Socket } from 'node:net';
import { type LlhttpMessage, LlhttpParser } from '../../harness/llhttp.ts';
import { type Origin, startTcpOrigin } from '../origins.ts';

/** An upstream that keeps every byte, and takes for requests what llhttp takes for them. */
export interface RecordingUpstream {
  readonly origin: Origin;
  /** All that came since `forget`, connection by connection, as latin1. */
  received(): readonly string[];
  /** Whole requests since `forget`, in order. */
  readonly requests: LlhttpMessage[];
  /** What llhttp had to say against it since `forget`. */
  readonly errors: string[];
  forget(): void;
}

/** Starts it. It answers each whole request with 200 and `ok`. */
export async function startRecordingUpstream(): Promise<RecordingUpstream> {
  const requests: LlhttpMessage[] = [];
  const errors: string[] = [];
  const texts = new Map<Socket, string>();
  const origin = await startTcpOrigin((socket) => {
    const parser = new LlhttpParser('request');
    socket.on('data', (bytes: Buffer) => {
      texts.set(socket, (texts.get(socket) ?? '') + bytes.toString('latin1'));
      const before = parser.messages.length - (parser.unfinished === undefined ? 0 : 1);
      parser.execute(bytes);
      if (parser.error !== undefined) errors.push(parser.error);
      for (const message of parser.messages.slice(before)) {
        if (!message.complete) continue;
        requests.push(message);
        const body = message.method === 'HEAD' ? '' : 'ok';
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n${body}`, 'latin1');
      }
    });
    socket.on('end', () => socket.end());
    socket.on('close', () => parser.free());
  });
  return {
    origin,
    received: () => [...texts.values()],
    requests,
    errors,
    forget() {
      requests.length = 0;
      errors.length = 0;
      texts.clear();
    },
  };
}
