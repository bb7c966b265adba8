import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { KubernetesApi } from './kubernetes-api.ts';

/** What is asked of the apiserver. */
interface Asked {
  readonly method: string;
  readonly path: string;
  readonly isWatch: boolean;
  /** When, in ms of the machine's monotonic clock. */
  readonly at: number;
}

/**
 * What goes wrong: an answer of the proxy's own, which the apiserver never hears of; or `cutInEvent`: the answer of the apiserver, cut off in the middle
 * of the first thing that it tells.
 */
export type Fault = { readonly status: number; readonly body: unknown; readonly headers?: Readonly<Record<string, string>> } | 'cutInEvent';

/** A way to a real apiserver on which things go wrong as the test says: what cannot be had from a healthy one. */
export interface FaultyProxy {
  readonly port: number;
  /** Asked for each request; undefined: it goes through. */
  fault: (asked: Asked) => Fault | undefined;
  /** Requests that were asked so far. */
  readonly asked: readonly Asked[];
  /** Ends all connections that are open: watches have to begin anew. */
  cut(): void;
  /** How many answers were not the apiserver's, or not whole. */
  faults(): number;
  close(): Promise<void>;
}

/** Listens on loopback with the apiserver's own certificate: clients need not know of it. */
export async function startFaultyProxy(api: KubernetesApi): Promise<FaultyProxy> {
  const agent = new Agent({ ca: readFileSync(api.certificate), keepAlive: true, checkServerIdentity: () => undefined });
  const asked: Asked[] = [];
  let faults = 0;
  const server = createServer(
    { cert: readFileSync(api.certificate), key: readFileSync(api.certificateKey) },
    (incoming: IncomingMessage, answer: ServerResponse) => {
      const { method = 'GET', url = '', headers } = incoming;
      const about = { method, path: url, isWatch: url.includes('watch=1'), at: performance.now() };
      asked.push(about);
      const fault = proxy.fault(about);
      if (fault !== undefined) faults += 1;
      if (fault !== undefined && fault !== 'cutInEvent') {
        incoming.resume();
        answer.writeHead(fault.status, { 'content-type': 'application/json', ...fault.headers }).end(`${JSON.stringify(fault.body)}\n`);
        return;
      }
      const outgoing = request({ agent, host: '127.0.0.1', port: api.port, method, path: url, headers }, (response) => {
        answer.writeHead(response.statusCode ?? 502, response.headers);
        answer.flushHeaders();
        response.once('error', () => answer.destroy());
        if (fault === undefined) response.pipe(answer);
        else {
          response.once('data', (part: Buffer) => {
            answer.write(part.subarray(0, Math.ceil(part.length / 2)), () => answer.destroy());
            response.destroy();
          });
        }
      });
      outgoing.on('error', () => answer.destroy());
      answer.once('close', () => outgoing.destroy());
      incoming.pipe(outgoing);
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy: FaultyProxy = {
    port: (server.address() as AddressInfo).port,
    fault: () => undefined,
    asked,
    faults: () => faults,
    cut: () => server.closeAllConnections(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        agent.destroy();
      }),
  };
  return proxy;
}
