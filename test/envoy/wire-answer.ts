import { type Agent, request } from 'node:http';
import { seenIn } from './echo-origin.ts';
import type { OddRequest } from './odd-requests.ts';

/** Header values by name. Lines of one name are joined, which means the same (RFC 9110, section 5.3), and which Envoy does with some. */
type Fields = Readonly<Record<string, string>>;

/** What a proxy made of a request: what the client got, and what the origin saw. */
export interface WireAnswer {
  readonly status: number;
  /** Which origin answered; undefined where the proxy did. */
  readonly origin: string | undefined;
  readonly headers: Fields;
  /** Set-Cookie lines, in order: the one header that cannot be joined. */
  readonly cookies: readonly string[];
  readonly body: string;
  readonly seen: { readonly line: string; readonly headers: Fields } | undefined;
}

/** The answer, and the rule that the proxy told in `x-route`; undefined where it named none. */
export interface TracedAnswer {
  readonly answer: WireAnswer;
  readonly route: string | undefined;
}

/**
 * What is compared elsewhere, or says nothing about routes: names and times of the proxy, and how a message travels on one connection. For a client on the loopback
 * Envoy writes an address of the machine into x-forwarded-for.
 */
const NOT_COMPARED =
  /^(?:date|server|connection|keep-alive|transfer-encoding|x-forwarded-for|set-cookie|x-route|x-seen|x-version|x-envoy-.*)$/;

/** Sends a request as it is and reads what became of it. */
export function ask(agent: Agent, port: number, { method, path, headers, body }: OddRequest): Promise<TracedAnswer> {
  const length = body === '' ? [] : ['content-length', String(body.length)];
  return new Promise((resolve, reject) => {
    const sent = request({ agent, host: '127.0.0.1', port, method, path, headers: [...headers.flat(), ...length] }, (response) => {
      let text = '';
      response.setEncoding('latin1').on('data', (chunk: string) => {
        text += chunk;
      });
      response.once('error', reject).once('end', () => {
        const fields = fieldsOf(response.rawHeaders);
        const seen = fields.get('x-seen')?.[0];
        const answer: WireAnswer = {
          status: response.statusCode ?? 0,
          origin: fields.get('x-version')?.[0],
          headers: compared(fields),
          cookies: fields.get('set-cookie') ?? [],
          body: text,
          seen: seen === undefined ? undefined : readSeen(seen),
        };
        resolve({ answer, route: fields.get('x-route')?.[0] || undefined });
      });
    });
    sent.once('error', reject).end(body);
  });
}

function readSeen(header: string): WireAnswer['seen'] {
  const { method, path, headers } = seenIn(header);
  return { line: `${method} ${path}`, headers: compared(fieldsOf(headers)) };
}

function fieldsOf(raw: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const fields = new Map<string, string[]>();
  for (let at = 0; at < raw.length; at += 2) {
    const name = (raw[at] ?? '').toLowerCase();
    fields.set(name, [...(fields.get(name) ?? []), raw[at + 1] ?? '']);
  }
  return fields;
}

/** Without a length of 0: whether an empty message says so is its writer's choice. Lines of `accept` that Envoy joins leave no trace of empty ones. */
function compared(fields: ReadonlyMap<string, readonly string[]>): Fields {
  const kept = [...fields].filter(([name, [first]]) => !NOT_COMPARED.test(name) && !(name === 'content-length' && first === '0'));
  return Object.fromEntries(
    kept.map(([name, values]) => [name, (name === 'accept' ? values.filter((line) => line !== '') : values).join(',')]),
  );
}

/** The places at which two answers differ, each with both values; empty where they are the same. */
export function differences(envoy: unknown, perch: unknown, at = ''): readonly string[] {
  if (typeof envoy === 'object' && typeof perch === 'object' && envoy !== null && perch !== null && !Array.isArray(envoy)) {
    const keys = new Set([...Object.keys(envoy), ...Object.keys(perch)]);
    return [...keys].flatMap((key) => differences(Reflect.get(envoy, key), Reflect.get(perch, key), `${at}.${key}`));
  }
  const [left, right] = [JSON.stringify(envoy), JSON.stringify(perch)];
  return left === right ? [] : [`${at}: Envoy ${left}, Perch ${right}`];
}
