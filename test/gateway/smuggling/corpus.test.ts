import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { exchange, firstStatus, RawClient } from '../raw-client.ts';
import { clusterAt, everythingTo, startTestGateway, type TestGateway } from '../running-gateway.ts';
import { HARMLESS } from './cases/harmless.ts';
import { MALFORMED } from './corpus.ts';
import { type HarmlessRequest, ID } from './harmless-request.ts';
import type { MalformedRequest } from './malformed-request.ts';
import { type RecordingUpstream, startRecordingUpstream } from './recording-upstream.ts';
import { get, HIDDEN, HOST } from './request-text.ts';

let upstream: RecordingUpstream;
let test: TestGateway;

beforeAll(async () => {
  upstream = await startRecordingUpstream();
  test = await startTestGateway(everythingTo(clusterAt(upstream.origin.port)));
});

afterAll(async () => {
  await test.gateway.close(0);
  await upstream.origin.close();
});

beforeEach(() => upstream.forget());

const STATUS_LINE = /HTTP\/1\.1 [0-9]{3} /g;
const GOOD = `GET /good HTTP/1.1\r\n${HOST}\r\n`;
const LARGE = 4096;

const malformed = MALFORMED.flatMap(({ title, cases }) => cases.map((each) => [title, each.section, each.name, each] as const));
const small = malformed.filter(([, , , { bytes }]) => bytes.length <= LARGE);

function expectRefused(received: string, { status, upstream: allowed }: MalformedRequest): void {
  expect(firstStatus(received), received.slice(0, 300)).toBe(status);
  expect(received.match(STATUS_LINE), 'answers').toHaveLength(1);
  expect(received.toLowerCase()).toContain('connection: close\r\n');
  expect(upstream.requests, 'requests upstream').toEqual([]);
  if (allowed === undefined) expect(upstream.received()).toEqual([]);
}

/** Sends each byte by itself; the other side may have had enough before the last. */
async function drip(port: number, text: string): Promise<string> {
  const client = await RawClient.open(port);
  for (const character of text) {
    if (client.closed || client.ended) break;
    client.send(character);
    await new Promise(setImmediate);
  }
  try {
    return await client.untilClosed(5_000);
  } finally {
    client.destroy();
  }
}

describe('a malformed or ambiguous request is refused, never forwarded, and ends its connection', () => {
  it('has cases of its own: no bytes twice, no name twice', () => {
    expect(malformed.length).toBeGreaterThanOrEqual(150);
    for (const key of ['bytes', 'name'] as const) {
      const values = malformed.map(([, , , each]) => `${each.listener ?? ''} ${each[key]}`);
      expect(values.filter((value, at) => values.indexOf(value) !== at)).toEqual([]);
    }
  });

  it.each(malformed)('%s: RFC %s: %s', async (_title, _section, _name, each) => {
    const received = await exchange(test[each.listener ?? 'ingress'], each.bytes + HIDDEN, 5_000);
    expectRefused(received, each);
  });

  it.each(small)('byte by byte: %s: RFC %s: %s', async (_title, _section, _name, each) => {
    expectRefused(await drip(test[each.listener ?? 'ingress'], each.bytes + HIDDEN), each);
  });

  it.each(small)('behind a good request: %s: RFC %s: %s', async (_title, _section, _name, each) => {
    const { listener = 'ingress' } = each;
    const good = listener === 'proxy' ? GOOD.replace('/good', 'http://shop/good') : GOOD;
    const received = await exchange(test[listener], good + each.bytes + HIDDEN, 5_000);
    expect(received.match(STATUS_LINE)).toEqual(['HTTP/1.1 200 ', `HTTP/1.1 ${each.status} `]);
    expect(upstream.requests.map(({ target }) => target)).toEqual(['/good']);
    expect(upstream.errors).toEqual([]);
  });

  it('is logged with the flag of a downstream protocol error', async () => {
    test.log.length = 0;
    await exchange(test.ingress, get('Host: other\r\n'));
    await exchange(test.ingress, get('X: a\0b\r\n'));
    expect(test.log).toMatchObject([
      { method: 'GET', path: '/', response_code: 400, response_flags: 'DPE', authority: null },
      { method: null, path: null, response_code: 400, response_flags: 'DPE' },
    ]);
  });
});

/** With the id that the edge drew named `ID`, since it is another one each time. */
function withoutIds(text: string): string {
  return text.replaceAll(/x-request-id: [0-9a-f-]{36}\r\n/g, `x-request-id: ${ID}\r\n`);
}

describe('what looks odd but says one thing only is forwarded in one canonical form', () => {
  const next = `GET /next HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`;

  it.each(HARMLESS.map((each) => [each.section, each.name, each] as const))(
    'RFC %s: %s',
    async (_section, _name, each: HarmlessRequest) => {
      const { listener = 'ingress', statuses = [200], last = false } = each;
      const received = await exchange(
        test[listener],
        each.bytes + (listener === 'proxy' ? next.replace('/next', 'http://shop/next') : next),
        5_000,
      );
      const expected = [...statuses, ...(last ? [] : [200])];
      expect(received.match(STATUS_LINE)?.map((line) => Number(line.slice(9, 12)))).toEqual(expected);
      const requests = withoutIds(upstream.received().join('')).split(/(?=GET \/next )/);
      if (!last) expect(requests.pop()).toMatch(/^GET \/next /);
      expect(requests.join('')).toBe(each.upstream.join(''));
      expect(upstream.requests).toHaveLength(each.upstream.length + (last ? 0 : 1));
      expect(upstream.errors).toEqual([]);
    },
  );
});
