import { connect, type Socket } from 'node:net';
import { BODY_SIZES } from '../gateway/body-size.ts';
import { loadRequests } from '../gateway/load.ts';

/** What became of the requests of some time; latencies in ms, from the moment when each was due. */
export interface Answers {
  readonly latencies: readonly number[];
  /** By what was wrong. */
  readonly failures: ReadonlyMap<string, number>;
}

/** Requests at a fixed rate. */
export interface FixedRate {
  /** What came since the last call. */
  take(): Answers;
  /** Sends no more, and closes what is open. */
  stop(): void;
}

interface Wanted {
  readonly text: string;
  readonly bytes: number;
  /** On `performance.now()`'s clock. */
  readonly dueAt: number;
  /** The connection is given up after it. */
  readonly last: boolean;
}

const TICK_MS = 4;
const CONNECTIONS = 64;
/** One connection in so many requests is given up, one request in so many is a POST of 10 KB or asks for 100 KB. */
const GIVE_UP_EVERY = 199;
const POST_EVERY = 25;
const LARGE_EVERY = 20;
const POSTED = 'x'.repeat(10 * 1024);

/** One keep-alive connection with at most one request at work; the others wait their turn. */
class Connection {
  private readonly port: number;
  private readonly done: (wanted: Wanted, failure: string | undefined) => void;
  private readonly queue: Wanted[] = [];
  private socket: Socket | undefined;
  private current: Wanted | undefined;
  private head = '';
  private left = -1;

  constructor(port: number, done: (wanted: Wanted, failure: string | undefined) => void) {
    this.port = port;
    this.done = done;
  }

  send(wanted: Wanted): void {
    this.queue.push(wanted);
    if (this.current === undefined) this.next();
  }

  close(): void {
    this.queue.length = 0;
    this.current = undefined;
    this.socket?.destroy();
  }

  private next(): void {
    this.current = this.queue.shift();
    if (this.current === undefined) return;
    this.head = '';
    this.left = -1;
    this.socket ??= this.open();
    this.socket.write(this.current.text, 'latin1');
  }

  private open(): Socket {
    const socket = connect({ port: this.port, host: '127.0.0.1', noDelay: true });
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => this.onData(text));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (this.socket !== socket) return;
      this.socket = undefined;
      if (this.current !== undefined) this.finish('closed without a whole answer');
    });
    return socket;
  }

  private onData(text: string): void {
    let body = text.length;
    if (this.left < 0) {
      this.head += text;
      const end = this.head.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = Number(/^content-length: *(\d+)/im.exec(this.head.slice(0, end))?.[1]);
      if (!this.head.startsWith('HTTP/1.1 200 ')) this.finish(this.head.slice(0, this.head.indexOf('\r\n')));
      else if (length !== this.current?.bytes) this.finish(`a body of ${length} bytes`);
      this.left = length;
      body = this.head.length - end - 4;
    }
    this.left -= body;
    if (this.left === 0) this.finish(undefined);
    else if (this.left < 0) this.finish('more than a whole answer');
  }

  private finish(failure: string | undefined): void {
    const { current } = this;
    if (current === undefined) return;
    this.current = undefined;
    this.done(current, failure);
    if (failure !== undefined || current.last) {
      const { socket } = this;
      this.socket = undefined;
      socket?.destroy();
    }
    this.next();
  }
}

/** The requests of the gateway bench, with some that are large, post or end their connection, in turn. */
function requests(): (ordinal: number, dueAt: number) => Wanted {
  const small = loadRequests('1k');
  const large = loadRequests('100k');
  return (ordinal, dueAt) => {
    const isLarge = ordinal % LARGE_EVERY === 0;
    const get = (isLarge ? large : small)[ordinal % small.length] ?? '';
    const text =
      ordinal % POST_EVERY === 7 ? `${get.replace('GET ', 'POST ').slice(0, -2)}Content-Length: ${POSTED.length}\r\n\r\n${POSTED}` : get;
    return { text, bytes: BODY_SIZES[isLarge ? '100k' : '1k'].bytes, dueAt, last: ordinal % GIVE_UP_EVERY === 0 };
  };
}

/**
 * Sends so many requests per second to a port of 127.0.0.1, whether or not answers keep up: what has to wait for its turn counts as late, so
 * that no pause is overlooked ("coordinated omission").
 */
export function startFixedRate(port: number, perSecond: number): FixedRate {
  let latencies: number[] = [];
  let failures = new Map<string, number>();
  const done = ({ dueAt }: Wanted, failure: string | undefined): void => {
    if (failure === undefined) latencies.push(performance.now() - dueAt);
    else failures.set(failure, (failures.get(failure) ?? 0) + 1);
  };
  const connections = Array.from({ length: CONNECTIONS }, () => new Connection(port, done));
  const requestAt = requests();
  const startedAt = performance.now();
  let ordinal = 0;
  const timer = setInterval(() => {
    const due = ((performance.now() - startedAt) / 1000) * perSecond;
    for (; ordinal < due; ordinal++) {
      connections[ordinal % CONNECTIONS]?.send(requestAt(ordinal, startedAt + (ordinal / perSecond) * 1000));
    }
  }, TICK_MS);
  return {
    take: () => {
      const taken = { latencies, failures };
      latencies = [];
      failures = new Map();
      return taken;
    },
    stop: () => {
      clearInterval(timer);
      for (const connection of connections) connection.close();
    },
  };
}
