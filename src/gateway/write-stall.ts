import type { Socket } from 'node:net';

/** Notices a peer that takes nothing of what is written to it. Has to be asked now and then. */
export class WriteStall {
  private movedAt = 0;
  private written = 0;
  private pending = 0;

  /** For how long nothing was taken although there is something, ms. `now`: `performance.now()`. */
  lasts(socket: Socket, now: number): number {
    const { bytesWritten, writableLength } = socket;
    if (writableLength === 0 || bytesWritten !== this.written || writableLength !== this.pending) {
      this.movedAt = now;
      this.written = bytesWritten;
      this.pending = writableLength;
    }
    return now - this.movedAt;
  }
}
