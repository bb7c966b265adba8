import { Agent, type IncomingHttpHeaders, request } from 'node:http';

/** What a visitor got. */
export interface Visit {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Connections shared by all visitors of a test: identity is in the cookie, never in the connection. */
export function connections(maxSockets = 32): Agent {
  return new Agent({ keepAlive: true, maxSockets });
}

/** One browser profile: a cookie jar that keeps and expires cookies as RFC 6265 says, for one site with paths ignored. */
export class Visitor {
  readonly cookies = new Map<string, string>();
  /** Where the site is; it may move, the cookies stay. */
  port: number;
  readonly #agent: Agent;

  constructor(agent: Agent, port: number) {
    this.#agent = agent;
    this.port = port;
  }

  /** A page as a browser asks for it: a document. */
  visit(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Visit> {
    return this.get(path, { accept: 'text/html,application/xhtml+xml,*/*;q=0.8', 'sec-fetch-mode': 'navigate', ...headers });
  }

  /** Any other request, such as an asset's. */
  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Visit> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    return new Promise((resolve, reject) => {
      const call = request({
        host: '127.0.0.1',
        port: this.port,
        path,
        agent: this.#agent,
        headers: { host: 'shop.test', ...(cookie === '' ? {} : { cookie }), ...headers },
      });
      call.on('error', reject);
      call.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          this.#keep(response.headers['set-cookie'] ?? []);
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() });
        });
      });
      call.end();
    });
  }

  #keep(lines: readonly string[]): void {
    for (const line of lines) {
      const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
      const at = pair.indexOf('=');
      const maxAge = attributes.map((attribute) => /^max-age=(-?\d+)$/i.exec(attribute)?.[1]).find((value) => value !== undefined);
      if (maxAge !== undefined && Number(maxAge) <= 0) this.cookies.delete(pair.slice(0, at));
      else this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
  }
}

/** Runs `task` for every item, at most `width` at a time; the results in the items' order. */
export async function inParallel<T, R>(items: readonly T[], width: number, task: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) {
      const item = items[index] as T;
      results[index] = await task(item, index);
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  return results;
}
