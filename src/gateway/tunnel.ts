import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { SwitchedConnection } from './client-exchange.ts';
import type { TunnelUser, UpstreamConnection } from './upstream-connection.ts';

/** Counts what passes. */
export interface TunnelMeter {
  received(bytes: number): void;
  sent(bytes: number): void;
}

/**
 * Two connections joined after a 101: bytes pass both ways with back-pressure, the end of one side's data is passed on
 * as such, and when either side breaks both are closed.
 */
export class Tunnel implements TunnelUser {
  private readonly client: Duplex;
  private readonly meter: TunnelMeter;

  constructor({ stream: client, early }: SwitchedConnection, upstream: UpstreamConnection, meter: TunnelMeter) {
    this.client = client;
    this.meter = meter;
    const send = (chunk: Uint8Array): void => {
      meter.received(chunk.length);
      if (!upstream.write(chunk)) client.pause();
    };
    client.on('data', send);
    client.on('drain', () => upstream.resume());
    client.on('end', () => upstream.endTunnel());
    client.on('close', () => {
      // After a clean end of both sides the last bytes to the upstream may still be on their way.
      if (!client.readableEnded || !client.writableFinished) upstream.resetTunnel();
    });
    if (early !== undefined) send(early);
    if (client.readableEnded) upstream.endTunnel();
  }

  tunnelData(chunk: Uint8Array): boolean {
    this.meter.sent(chunk.length);
    return this.client.write(chunk);
  }

  tunnelDrained(): void {
    this.client.resume();
  }

  tunnelEnded(): void {
    this.client.end();
  }

  tunnelClosed(broken: boolean): void {
    if (broken) {
      // A mere close would look like the regular end of the upstream's data; with TLS it does not, as there is no close_notify.
      if (this.client instanceof Socket && !(this.client instanceof TLSSocket)) this.client.resetAndDestroy();
      else this.client.destroy();
      return;
    }
    // What is still to be written to the client arrives; one that keeps its side open is cut then.
    if (this.client.writableFinished) this.client.destroy();
    else this.client.end(() => this.client.destroy());
  }
}
