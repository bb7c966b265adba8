// Requests at a rate that does not depend on the answers, started by load.ts with its options as one argument of JSON; prints what it measured as
// JSON. Arrivals are a Poisson process. A request that finds every connection busy waits for one, and its wait counts: nothing is left out because
// the proxy was slow (coordinated omission).
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { percentile } from '../percentile.ts';
import type { OpenLoopOptions } from './load.ts';

const { port, rate, seconds, connections, requests: file } = JSON.parse(process.argv[2] ?? '') as OpenLoopOptions;
const requests = (JSON.parse(readFileSync(file, 'utf8')) as readonly string[]).map((text) => Buffer.from(text, 'latin1'));

const LONGEST_DRAIN_MS = 2000;
const latencies: number[] = [];
const waiting: number[] = [];
const idle: Connection[] = [];
let failed = 0;
let next = 0;

/** One keep-alive connection. */
class Connection {
  readonly #socket: Socket;
  /** When the request at work was due; undefined: none is. */
  due: number | undefined;
  #received = '';

  constructor() {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.setEncoding('latin1');
    this.#socket.on('connect', () => idle.push(this));
    this.#socket.on('data', (text: string) => this.#read(text));
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => {
      if (!isOver) failed++;
    });
  }

  send(due: number): void {
    this.due = due;
    this.#socket.write(requests[next++ % requests.length] as Buffer);
  }

  end(): void {
    this.#socket.destroy();
  }

  #read(text: string): void {
    this.#received += text;
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(this.#received.slice(0, end))?.[1]);
    if (this.#received.length < end + 4 + length) return;
    if (!this.#received.startsWith('HTTP/1.1 200 ') || Number.isNaN(length)) failed++;
    this.#received = '';
    if (this.due !== undefined) latencies.push(performance.now() - this.due);
    this.due = undefined;
    const due = waiting.shift();
    if (due === undefined) idle.push(this);
    else this.send(due);
  }
}

let isOver = false;
const all = Array.from({ length: connections }, () => new Connection());
while (idle.length < connections) await new Promise((resolve) => setTimeout(resolve, 5));

const start = performance.now();
const end = start + seconds * 1000;
let arrival = start;
/** Sends all that has become due. Timers are whole milliseconds: what was due since the last one counts from when it could be sent. */
function tick(): void {
  const now = performance.now();
  while (arrival <= now && arrival < end) {
    arrival += (-Math.log(1 - Math.random()) * 1000) / rate;
    const connection = idle.pop();
    if (connection === undefined) waiting.push(now);
    else connection.send(performance.now());
  }
  if (arrival < end) setTimeout(tick, 1);
  else drain();
}

/** Waits for the answers that are due; a proxy that cannot keep up is not waited for to the end. */
function drain(): void {
  if (idle.length === connections || performance.now() > end + LONGEST_DRAIN_MS) finish();
  else setTimeout(drain, 5);
}

function finish(): void {
  isOver = true;
  const now = performance.now();
  const requests = latencies.length;
  // What was not answered has waited as long as this, at least.
  for (const { due } of all) if (due !== undefined) latencies.push(now - due);
  for (const due of waiting) latencies.push(now - due);
  for (const connection of all) connection.end();
  const took = (now - start) / 1000;
  console.log(JSON.stringify({ requests, seconds: took, p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99), failed }));
}

tick();
