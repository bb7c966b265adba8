import type { Socket } from 'node:net';

/** A client that sends no more (TCP's FIN): whether it still takes its answers. One that is gone looks just the same at first. Has to be asked now and then. */
export class HalfClosed {
  private movedAt: number | undefined;
  private written = 0;

  /** Whether `begin` was called. */
  get hasBegun(): boolean {
    return this.movedAt !== undefined;
  }

  /** The client's side has ended. `now`: `performance.now()`. */
  begin({ bytesWritten }: Socket, now: number): void {
    this.movedAt = now;
    this.written = bytesWritten;
  }

  /** Whether nothing more was written to it for longer than `limitMs`; false before `begin`. `now`: `performance.now()`. */
  isForsaken({ bytesWritten }: Socket, now: number, limitMs: number): boolean {
    if (this.movedAt === undefined) return false;
    if (bytesWritten !== this.written) {
      this.written = bytesWritten;
      this.movedAt = now;
    }
    return now - this.movedAt > limitMs;
  }
}
