import type { RequestEvent } from '../../core/evidence/request-event.ts';
import type { VisitorIdNames } from '../visitor-id-names.ts';
import { type EventBatch, EventBatchWriter } from './event-batch.ts';

/** How long an event waits for others to go with it, in ms. */
const COLLECT_MS = 20;
/** So many go at once, whatever the time: it bounds how long the control process is busy with one batch. */
const BATCH = 512;
/** Events and lines that may be under way, untaken: some seconds of what one worker can serve, and a few MB. */
const MOST_UNTAKEN = 32_768;

/**
 * A worker's events on their way to the control process: in batches, and no more than so many at a time. What comes beyond, because the
 * control process is too busy to take them, is counted and left out: requests must not wait for those who count them.
 */
export class EventOutbox {
  readonly #send: (batch: EventBatch) => void;
  readonly #mostUntaken: number;
  readonly #writer = new EventBatchWriter();
  #untaken = 0;
  #lost = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (batch: EventBatch) => void, mostUntaken: number = MOST_UNTAKEN) {
    this.#send = send;
    this.#mostUntaken = mostUntaken;
  }

  addEvent(event: RequestEvent, names: VisitorIdNames): void {
    if (this.#hasRoom()) this.#writer.addEvent(event, names);
    this.#schedule();
  }

  addLine(line: string): void {
    if (this.#hasRoom()) this.#writer.addLine(line);
    this.#schedule();
  }

  /** Sends what is there now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { size } = this.#writer;
    if (size === 0 && this.#lost === 0) return;
    this.#untaken += size;
    const lost = this.#lost;
    this.#lost = 0;
    this.#send(this.#writer.take(lost));
  }

  /** The control process has taken so many. */
  taken(count: number): void {
    this.#untaken -= count;
  }

  #hasRoom(): boolean {
    const hasRoom = this.#untaken + this.#writer.size < this.#mostUntaken;
    if (!hasRoom) this.#lost += 1;
    return hasRoom;
  }

  #schedule(): void {
    if (this.#writer.size >= BATCH) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), COLLECT_MS);
  }
}
