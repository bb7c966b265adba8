import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../../tools/run-command.ts';
import { BODY_SIZES, type BodySize } from './body-size.ts';

/** What wrk saw in one window. */
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

/** One browser-like page request: a head of about 900 bytes, with a cookie of about 600. */
function request(random: () => number, known: boolean, path: string): string {
  const session = `session=${hex(random, 380)}`;
  const cookies = known ? [BEFORE_ID, `perch=${visitorId(random)}`, session] : [BEFORE_ID, `other=${visitorId(random)}`, session];
  return [
    `GET ${path}?page=2 HTTP/1.1`,
    'Host: shop.example.com',
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'Accept-Language: en-GB,en;q=0.7,de;q=0.3',
    'Accept-Encoding: gzip, deflate, br',
    `Cookie: ${cookies.join('; ')}`,
    'Cache-Control: max-age=0',
    '',
    '',
  ].join('\r\n');
}

/** 512 requests for an answer of this size, every second one by a visitor who holds an id; the others ask for a page and are given one. */
export function loadRequests(size: BodySize): readonly string[] {
  const random = seededRandom(20261122);
  return Array.from({ length: 512 }, (_, index) => request(random, index % 2 === 0, BODY_SIZES[size].path));
}

/**
 * How hard a proxy is loaded. `full`: each connection sends its next request as soon as it has the answer, so the proxy's core is busy all
 * the time. `paced`: each waits first, for exponentially distributed times, so requests come at about the same rate to every proxy.
 */
export type LoadKind = 'full' | 'paced';

/** Requests per second of a paced load if answers took no time: well below what the slowest proxy can do. */
export const PACED_RATE: Readonly<Record<BodySize, number>> = { '1k': 5000, '100k': 1000 };

/** Keep-alive connections of every load. */
export const CONNECTIONS = 64;

function pacing(size: BodySize, kind: LoadKind): string {
  if (kind === 'full') return '';
  const meanMs = (CONNECTIONS * 1000) / PACED_RATE[size];
  return `delay = function()
  return math.floor(-math.log(1 - math.random()) * ${meanMs} + 0.5)
end
`;
}

/** The script for a load of the gateway bench. Gives its path. */
export function writeLoadScript(folder: string, size: BodySize, kind: LoadKind): string {
  return writeRequestScript(join(folder, `${size}-${kind}.lua`), loadRequests(size), pacing(size, kind));
}

/** Writes the script that makes wrk send these requests in turn and print what it measured as one line of JSON. `more`: Lua. Gives its path. */
export function writeRequestScript(path: string, requests: readonly string[], more = ''): string {
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
${more}done = function(summary, latency, rates)
  local errors = summary.errors
  print(string.format('{"requests":%d,"seconds":%.6f,"p50":%.3f,"p99":%.3f,"failed":%d}', summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
`,
  );
  return path;
}

/** One window of load: a script of `writeLoadScript` against a port of 127.0.0.1, for whole seconds, with wrk pinned to `core`. */
export interface LoadOptions {
  readonly script: string;
  readonly port: number;
  readonly seconds: number;
  readonly core: number;
}

/**
 * One window of load over keep-alive connections.
 * @throws Error where any request failed: such a window says nothing about cost.
 */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { code, output, stdout } = await runCommand('taskset', [
    ...['-c', String(options.core), 'wrk', '--threads', '1', '--connections', String(CONNECTIONS)],
    ...['--duration', `${options.seconds}s`, '--timeout', '5s', '--script', options.script, `http://127.0.0.1:${options.port}/`],
  ]);
  const line = stdout.split('\n').find((text) => text.startsWith('{'));
  if (code !== 0 || line === undefined) throw new Error(`wrk failed (exit ${code}):\n${output}`);
  const { failed, ...result } = JSON.parse(line) as LoadResult & { readonly failed: number };
  if (failed > 0 || result.requests === 0) throw new Error(`${failed} of ${result.requests} requests failed:\n${output}`);
  return result;
}
