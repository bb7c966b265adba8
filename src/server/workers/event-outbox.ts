import type { RequestEvent } from '../../core/evidence/request-event.ts';
import type { VisitorIdNames } from '../visitor-id-names.ts';
import { type EventBatch, EventBatchWriter } from './event-batch.ts';

/** How long an event waits for others to go with it, in ms. */
const COLLECT_MS = 20;
/** So many go at once, whatever the time: it bounds how long the control process is busy with one batch. */
const BATCH = 512;
/** Events and lines that may be under way, untaken: some seconds of what one worker can serve, and some 20 MB. */
const MOST_UNTAKEN = 32_768;
/** Characters of those lines: clients can make each thirty times as long as it usually is. */
const MOST_CHARACTERS = 32 * 1024 * 1024;

/**
 * A worker's events on their way to the control process: in batches, and no more than so many at a time. What comes beyond, because the
 * control process is too busy to take them, is counted and left out: requests must not wait for those who count them.
 */
export class EventOutbox {
  readonly #send: (batch: EventBatch) => void;
  readonly #mostUntaken: number;
  readonly #mostCharacters: number;
  readonly #writer = new EventBatchWriter();
  #untaken = 0;
  /** Of the lines that wait or are under way, and of those of each batch that is under way, in their order. */
  #characters = 0;
  #sentCharacters: number[] = [];
  #waitingCharacters = 0;
  #lost = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (batch: EventBatch) => void, mostUntaken: number = MOST_UNTAKEN, mostCharacters: number = MOST_CHARACTERS) {
    this.#send = send;
    this.#mostUntaken = mostUntaken;
    this.#mostCharacters = mostCharacters;
  }

  addEvent(event: RequestEvent, names: VisitorIdNames): void {
    if (this.#hasRoom()) this.#writer.addEvent(event, names);
    this.#schedule();
  }

  addLine(line: string): void {
    if (this.#hasRoom(line.length)) {
      this.#writer.addLine(line);
      this.#characters += line.length;
      this.#waitingCharacters += line.length;
    }
    this.#schedule();
  }

  /** Sends what is there now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { size } = this.#writer;
    if (size === 0 && this.#lost === 0) return;
    this.#untaken += size;
    this.#sentCharacters.push(this.#waitingCharacters);
    this.#waitingCharacters = 0;
    const lost = this.#lost;
    this.#lost = 0;
    this.#send(this.#writer.take(lost));
  }

  /** The control process has taken so many: those of the oldest batch that is under way. */
  taken(count: number): void {
    this.#untaken -= count;
    this.#characters -= this.#sentCharacters.shift() ?? 0;
  }

  #hasRoom(characters = 0): boolean {
    const hasRoom = this.#untaken + this.#writer.size < this.#mostUntaken && this.#characters + characters <= this.#mostCharacters;
    if (!hasRoom) this.#lost += 1;
    return hasRoom;
  }

  #schedule(): void {
    if (this.#writer.size >= BATCH) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), COLLECT_MS);
  }
}
