import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../../tools/run-command.ts';
import { BODY_SIZES, type BodySize } from './body-size.ts';

/** What was seen in one window. */
export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

/** A small linear congruential generator (Numerical Recipes' constants): the same visitors in every run. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function hex(random: () => number, digits: number): string {
  return Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join('');
}

/** A random UUID, version 4. */
function visitorId(random: () => number): string {
  return `${hex(random, 8)}-${hex(random, 4)}-4${hex(random, 3)}-a${hex(random, 3)}-${hex(random, 12)}`;
}

const BEFORE_ID = '_ga=GA1.2.1298712345.1761203344; _gid=GA1.2.88123761.1763001122; consent=analytics:1,ads:0; theme=dark';

/** One browser-like request for a page: a head of about 900 bytes, with a cookie of about 600. */
function request(random: () => number, known: boolean, { path, posted }: (typeof BODY_SIZES)[BodySize]): string {
  const session = `session=${hex(random, 380)}`;
  const cookies = known ? [BEFORE_ID, `perch=${visitorId(random)}`, session] : [BEFORE_ID, `other=${visitorId(random)}`, session];
  return [
    `${posted > 0 ? 'POST' : 'GET'} ${path}?page=2 HTTP/1.1`,
    'Host: shop.example.com',
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'Accept-Language: en-GB,en;q=0.7,de;q=0.3',
    'Accept-Encoding: gzip, deflate, br',
    `Cookie: ${cookies.join('; ')}`,
    'Cache-Control: max-age=0',
    ...(posted > 0 ? ['Content-Type: application/octet-stream', `Content-Length: ${posted}`] : []),
    '',
    'x'.repeat(posted),
  ].join('\r\n');
}

/** 512 requests for an answer of this size, every second one by a visitor who holds an id; the others ask for a page and are given one. */
export function loadRequests(size: BodySize): readonly string[] {
  const random = seededRandom(20261122);
  return Array.from({ length: 512 }, (_, index) => request(random, index % 2 === 0, BODY_SIZES[size]));
}

/**
 * How hard a proxy is loaded. `full`: each connection sends its next request as soon as it has the answer, so the proxy's core is busy all
 * the time. The others: requests come at a rate, whatever the answers (open-loop.ts).
 */
export const LOADS = ['full', 'calm', 'paced'] as const;

/** One of `LOADS`. */
export type LoadKind = (typeof LOADS)[number];

/** Requests per second, below what the slowest proxy can do; undefined: that load is not measured with such requests. */
export function rateOf(size: BodySize, load: LoadKind): number | undefined {
  if (load === 'calm') return size === '1k' ? 1000 : undefined;
  if (load === 'paced') return { '1k': 5000, '100k': 1000, post: undefined, tls: undefined }[size];
  return undefined;
}

/** Keep-alive connections of every load. */
export const CONNECTIONS = 64;

/** What the programs that make the load read: requests as a script of wrk, and as JSON. */
export interface LoadFiles {
  readonly script: string;
  readonly requests: string;
}

/** Writes the requests of a size into a folder. */
export function writeLoadFiles(folder: string, size: BodySize): LoadFiles {
  const requests = join(folder, `${size}.json`);
  writeFileSync(requests, JSON.stringify(loadRequests(size)));
  return { script: writeRequestScript(join(folder, `${size}.lua`), loadRequests(size)), requests };
}

/** Writes the script that makes wrk send these requests in turn and print what it measured as one line of JSON. Gives its path. */
export function writeRequestScript(path: string, requests: readonly string[]): string {
  const literals = requests.map((text) => `  ${JSON.stringify(text)},`);
  writeFileSync(
    path,
    `local requests = {
${literals.join('\n')}
}
local next = 0
request = function()
  next = next % #requests + 1
  return requests[next]
end
done = function(summary, latency, rates)
  local errors = summary.errors
  print(string.format('{"requests":%d,"seconds":%.6f,"p50":%.3f,"p99":%.3f,"failed":%d}', summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
`,
  );
  return path;
}

/** One window of full load: a script against a port of 127.0.0.1, for whole seconds, with wrk pinned to `core`. */
interface FullLoadOptions {
  readonly script: string;
  readonly port: number;
  readonly seconds: number;
  readonly core: number;
  readonly tls?: boolean;
}

/** What open-loop.ts is told. */
export interface OpenLoopOptions {
  readonly port: number;
  /** Requests per second. */
  readonly rate: number;
  readonly seconds: number;
  readonly connections: number;
  /** Path of the requests, as JSON. */
  readonly requests: string;
}

const OPEN_LOOP = fileURLToPath(new URL('open-loop.ts', import.meta.url));

/**
 * One window of full load over keep-alive connections.
 * @throws Error where any request failed: such a window says nothing about cost.
 */
export function runLoad({ script, port, seconds, core, tls }: FullLoadOptions): Promise<LoadResult> {
  const url = `${tls === true ? 'https' : 'http'}://127.0.0.1:${port}/`;
  const options = ['--duration', `${seconds}s`, '--timeout', '5s', '--script', script, url];
  return run('wrk', core, ['wrk', '--threads', '1', '--connections', String(CONNECTIONS), ...options]);
}

/** One window at a rate; one that is above what the proxy can do shows in the latencies. @throws Error where any request failed. */
export function runOpenLoop(core: number, options: OpenLoopOptions): Promise<LoadResult> {
  return run('the load', core, [process.execPath, '--disable-warning=ExperimentalWarning', OPEN_LOOP, JSON.stringify(options)]);
}

async function run(name: string, core: number, command: readonly string[]): Promise<LoadResult> {
  const { code, output, stdout } = await runCommand('taskset', ['-c', String(core), ...command]);
  const line = stdout.split('\n').find((text) => text.startsWith('{'));
  if (code !== 0 || line === undefined) throw new Error(`${name} failed (exit ${code}):\n${output}`);
  const { failed, ...result } = JSON.parse(line) as LoadResult & { readonly failed: number };
  if (failed > 0 || result.requests === 0) throw new Error(`${failed} of ${result.requests} requests failed:\n${output}`);
  return result;
}
