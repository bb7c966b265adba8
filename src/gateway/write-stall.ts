import type { Socket } from 'node:net';

/** Notices a peer that takes nothing, or next to nothing, of what is written to it. Has to be asked now and then. */
export class WriteStall {
  private movedAt = 0;
  private written = 0;
  private pending = 0;
  /** What the peer had taken at `movedAt`. */
  private taken = 0;

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

  /** For how long fewer than `least` bytes were taken although there always was something, ms. Not to be asked along with `lasts`. */
  dripsFor(socket: Socket, least: number, now: number): number {
    // What Node counts as written includes what it still holds.
    const { bytesWritten, writableLength } = socket;
    const taken = bytesWritten - writableLength;
    if (this.movedAt === 0 || writableLength === 0 || taken - this.taken >= least) {
      this.movedAt = now;
      this.taken = taken;
    }
    return now - this.movedAt;
  }
}
