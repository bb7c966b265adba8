import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { type GatewayProcess, startGatewayProcess } from './gateway-process.ts';
import { digest, MEGABYTE, writeAll } from './large-body.ts';
import { type Origin, startHttpOrigin } from './origins.ts';

const LARGE = 256 * MEGABYTE;
/**
 * What the gateway's process may grow by while LARGE passes through it, and the other side is slow: buffers that wait for garbage
 * collection, mostly. Without back-pressure it would be LARGE.
 */
const BOUND = 96 * MEGABYTE;

const running: (GatewayProcess | Origin)[] = [];
afterEach(async () => {
  for (const each of running.splice(0).reverse()) await each.close();
});

async function started(listener: (request: IncomingMessage, response: ServerResponse) => void): Promise<GatewayProcess> {
  const origin = await startHttpOrigin(listener);
  running.push(origin);
  const gateway = await startGatewayProcess(origin.port);
  running.push(gateway);
  return gateway;
}

/** Reads to the end, with a pause after each few megabytes. */
async function readSlowly(stream: IncomingMessage): Promise<string> {
  const hash = createHash('sha1');
  let unpaused = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    hash.update(chunk);
    unpaused += chunk.length;
    if (unpaused > 4 * MEGABYTE) {
      unpaused = 0;
      await sleep(5);
    }
  }
  return hash.digest('hex');
}

async function writeLarge(stream: ServerResponse | ReturnType<typeof httpRequest>): Promise<void> {
  await writeAll(
    (piece) => stream.write(piece),
    () => once(stream, 'drain'),
    LARGE,
  );
  stream.end();
}

describe.each(['length', 'chunked'] as const)('256 MiB (%s)', (framing) => {
  const headers = framing === 'length' ? { 'content-length': String(LARGE) } : { 'transfer-encoding': 'chunked' };

  it('reach a slow client whole, through a process that stays small', async () => {
    const gateway = await started((_request, response) => {
      response.writeHead(200, headers);
      void writeLarge(response);
    });
    const before = await gateway.peakMemory();
    const request = httpRequest({ port: gateway.ingress, host: '127.0.0.1', agent: false }).end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    expect(response.headers).toMatchObject(headers);
    expect(await readSlowly(response)).toBe(digest(LARGE));
    expect((await gateway.peakMemory()) - before).toBeLessThan(BOUND);
  });

  it('reach a slow upstream whole, through a process that stays small', async () => {
    const gateway = await started(async (incoming, outgoing) => {
      expect(incoming.headers).toMatchObject(headers);
      outgoing.end(await readSlowly(incoming));
    });
    const before = await gateway.peakMemory();
    const request = httpRequest({ port: gateway.ingress, host: '127.0.0.1', agent: false, method: 'PUT', headers });
    const responded = once(request, 'response') as Promise<[IncomingMessage]>;
    await writeLarge(request);
    const [response] = await responded;
    expect((await response.setEncoding('latin1').toArray()).join('')).toBe(digest(LARGE));
    expect((await gateway.peakMemory()) - before).toBeLessThan(BOUND);
  });
});
