import { expect, test } from 'vitest';
import { block, END_HEADERS, END_STREAM, FRAME, FrameClient, frame, PREFACE } from './http2-frames.ts';
import { everythingToYaml, gatewayYaml, httpsScenes, serverYaml } from './https-scene.ts';
import { startHttpOrigin } from './origins.ts';

const scenes = httpsScenes();

type Fields = readonly (readonly [name: string, value: string])[];

const GET: Fields = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'shop.test'],
  [':path', '/'],
];
const POST: Fields = [[':method', 'POST'], ...GET.slice(1)];
const BOTH = END_HEADERS | END_STREAM;
const SETTINGS = frame(FRAME.settings, 0, 0);

/** A request on stream 1 with those fields. */
const head = (fields: Fields, flags = BOTH): Buffer => frame(FRAME.headers, flags, 1, block(fields));
/** GET with one more field. */
const withField = (name: string, value: string): Buffer => head([...GET, [name, value]]);
const without = (name: string): Buffer => head(GET.filter(([each]) => each !== name));
const changed = (name: string, value: string): Buffer => head(GET.map((each) => (each[0] === name ? [name, value] : each)));
const uint32 = (...values: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, 4 * index);
  return bytes;
};
const setting = (id: number, value: number): Buffer => {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt32BE(value, 2);
  return bytes;
};

/** What is wrong, its section of RFC 9113, the bytes behind preface and SETTINGS, what becomes of stream 1 or the connection. */
const VIOLATIONS: readonly (readonly [what: string, section: string, bytes: Buffer, fate: RegExp])[] = [
  // Malformed requests: a stream error, and nothing reaches an upstream.
  ['an upper-case field name', '8.2.1', withField('X-Upper', 'a'), /^RST PROTOCOL_ERROR$/],
  ['transfer-encoding', '8.2.2', withField('transfer-encoding', 'chunked'), /^RST PROTOCOL_ERROR$/],
  ['connection', '8.2.2', withField('connection', 'close'), /^RST PROTOCOL_ERROR$/],
  ['keep-alive', '8.2.2', withField('keep-alive', 'timeout=5'), /^RST PROTOCOL_ERROR$/],
  ['proxy-connection', '8.2.2', withField('proxy-connection', 'close'), /^RST PROTOCOL_ERROR$/],
  ['upgrade', '8.2.2', withField('upgrade', 'websocket'), /^RST PROTOCOL_ERROR$/],
  ['te other than trailers', '8.2.2', withField('te', 'gzip'), /^RST PROTOCOL_ERROR$/],
  ['no :method', '8.3.1', without(':method'), /^RST PROTOCOL_ERROR$/],
  ['no :path', '8.3.1', without(':path'), /^RST PROTOCOL_ERROR$/],
  ['no :scheme', '8.3.1', without(':scheme'), /^RST PROTOCOL_ERROR$/],
  ['no :authority and no host', '8.3.1', without(':authority'), /^RST PROTOCOL_ERROR$/],
  ['an empty :path', '8.3.1', changed(':path', ''), /^RST PROTOCOL_ERROR$/],
  ['a :path without a slash', '8.3.1', changed(':path', 'http://shop.test/'), /^RST PROTOCOL_ERROR$/],
  ['* with GET', '8.3.1', changed(':path', '*'), /^RST PROTOCOL_ERROR$/],
  ['another :scheme', '8.3.1', changed(':scheme', 'http'), /^RST PROTOCOL_ERROR$/],
  ['a host other than :authority', '8.3.1', withField('host', 'other.test'), /^RST PROTOCOL_ERROR$/],
  ['two :path', '8.3', head([...GET, [':path', '/']]), /^RST PROTOCOL_ERROR$/],
  ['an unknown pseudo field', '8.3', head([...GET, [':unknown', 'a']]), /^RST PROTOCOL_ERROR$/],
  ['a response’s pseudo field', '8.3', head([...GET, [':status', '200']]), /^RST PROTOCOL_ERROR$/],
  ['a pseudo field behind others', '8.3', head([['accept', '*/*'], ...GET]), /^RST PROTOCOL_ERROR$/],
  [
    'extended CONNECT, which is not offered',
    'RFC 8441',
    head([[':method', 'CONNECT'], [':protocol', 'websocket'], ...GET.slice(1)]),
    /^RST PROTOCOL_ERROR$/,
  ],
  ['two content-length', '8.1.1', head([...POST, ['content-length', '1'], ['content-length', '1']]), /^RST PROTOCOL_ERROR$/],
  ['content-length without a body', '8.1.1', head([...POST, ['content-length', '5']]), /^RST PROTOCOL_ERROR$/],
  ['a content-length that is no number', '8.1.1', head([...POST, ['content-length', '5x']], END_HEADERS), /^RST PROTOCOL_ERROR$/],
  ['CR and LF in :path', '8.2.1', changed(':path', '/ HTTP/1.1\r\nx: y'), /^RST PROTOCOL_ERROR$/],
  ['a space in :path', '8.3.1', changed(':path', '/a b'), /^(RST PROTOCOL_ERROR|END)$/],
  ['LF in :authority', '8.2.1', changed(':authority', 'shop.test\nx: y'), /^RST PROTOCOL_ERROR$/],
  ['CR and LF in :method', '8.2.1', changed(':method', 'GET / HTTP/1.1\r\nx: y\r\n\r\n'), /^RST PROTOCOL_ERROR$/],
  [
    'data beyond content-length',
    '8.1.1',
    Buffer.concat([head([...POST, ['content-length', '1']], END_HEADERS), frame(FRAME.data, END_STREAM, 1, Buffer.from('ab'))]),
    /^(RST PROTOCOL_ERROR|GOAWAY INTERNAL_ERROR)$/,
  ],
  // Of the connection: GOAWAY.
  ['HEADERS on stream 0', '6.2', frame(FRAME.headers, BOTH, 0, block(GET)), /^GOAWAY PROTOCOL_ERROR$/],
  ['HEADERS on an even stream', '5.1.1', frame(FRAME.headers, BOTH, 2, block(GET)), /^GOAWAY PROTOCOL_ERROR$/],
  ['a block that is no HPACK', '4.3', frame(FRAME.headers, BOTH, 1, Buffer.from([0x80])), /^GOAWAY COMPRESSION_ERROR$/],
  ['DATA on stream 0', '6.1', frame(FRAME.data, 0, 0, Buffer.from('a')), /^GOAWAY PROTOCOL_ERROR$/],
  ['DATA on an idle stream', '5.1', frame(FRAME.data, 0, 1, Buffer.from('a')), /^GOAWAY (PROTOCOL_ERROR|STREAM_CLOSED)$/],
  ['a frame larger than allowed', '4.2', frame(FRAME.headers, BOTH, 1, Buffer.alloc(0), 16_385), /^GOAWAY FRAME_SIZE_ERROR$/],
  ['CONTINUATION without HEADERS', '6.10', frame(FRAME.continuation, END_HEADERS, 1, block(GET)), /^GOAWAY PROTOCOL_ERROR$/],
  [
    'another frame between HEADERS and CONTINUATION',
    '6.10',
    Buffer.concat([head(GET, END_STREAM), frame(FRAME.ping, 0, 0, Buffer.alloc(8))]),
    /^GOAWAY PROTOCOL_ERROR$/,
  ],
  ['SETTINGS on a stream', '6.5', frame(FRAME.settings, 0, 1), /^GOAWAY PROTOCOL_ERROR$/],
  ['SETTINGS of a wrong length', '6.5', frame(FRAME.settings, 0, 0, Buffer.alloc(5)), /^GOAWAY FRAME_SIZE_ERROR$/],
  ['an acknowledgement with settings', '6.5', frame(FRAME.settings, 1, 0, Buffer.alloc(6)), /^GOAWAY FRAME_SIZE_ERROR$/],
  ['a window larger than 2^31-1', '6.5.2', frame(FRAME.settings, 0, 0, setting(4, 0x8000_0000)), /^GOAWAY FLOW_CONTROL_ERROR$/],
  ['a MAX_FRAME_SIZE that is too small', '6.5.2', frame(FRAME.settings, 0, 0, setting(5, 100)), /^GOAWAY PROTOCOL_ERROR$/],
  ['ENABLE_PUSH of 2', '6.5.2', frame(FRAME.settings, 0, 0, setting(2, 2)), /^GOAWAY PROTOCOL_ERROR$/],
  ['PING on a stream', '6.7', frame(FRAME.ping, 0, 1, Buffer.alloc(8)), /^GOAWAY PROTOCOL_ERROR$/],
  ['PING of a wrong length', '6.7', frame(FRAME.ping, 0, 0, Buffer.alloc(7)), /^GOAWAY FRAME_SIZE_ERROR$/],
  ['WINDOW_UPDATE of 0', '6.9', frame(FRAME.window, 0, 0, uint32(0)), /^GOAWAY PROTOCOL_ERROR$/],
  ['windows beyond 2^31-1', '6.9.1', frame(FRAME.window, 0, 0, uint32(0x7fff_ffff)), /^GOAWAY FLOW_CONTROL_ERROR$/],
  ['RST_STREAM on an idle stream', '6.4', frame(FRAME.rst, 0, 1, uint32(8)), /^GOAWAY PROTOCOL_ERROR$/],
  ['RST_STREAM of a wrong length', '6.4', frame(FRAME.rst, 0, 1, Buffer.alloc(3)), /^GOAWAY FRAME_SIZE_ERROR$/],
  ['GOAWAY on a stream', '6.8', frame(FRAME.goaway, 0, 1, uint32(0, 0)), /^GOAWAY PROTOCOL_ERROR$/],
  ['PUSH_PROMISE of a client', '8.4', frame(FRAME.push, END_HEADERS, 1, Buffer.concat([uint32(2), block(GET)])), /^GOAWAY PROTOCOL_ERROR$/],
  [
    'padding longer than the frame',
    '6.1',
    Buffer.concat([head(POST, END_HEADERS), frame(FRAME.data, 8, 1, Buffer.from([200, 1]))]),
    /^GOAWAY PROTOCOL_ERROR$/,
  ],
  [
    'a stream that depends on itself: priorities are passed over, as of RFC 9113',
    '5.3.2',
    Buffer.concat([frame(FRAME.priority, 0, 1, Buffer.from([0, 0, 0, 1, 16])), head(POST)]),
    /^END$/,
  ],
];

async function scene() {
  const seen: string[] = [];
  const origin = await startHttpOrigin((request, response) => {
    seen.push(`${request.method} ${request.url} ${JSON.stringify(request.rawHeaders)}`);
    request.resume();
    response.end('ok');
  });
  const { port, requests } = await scenes.start({ web: ['shop.test'] }, [
    gatewayYaml(serverYaml('web', 443, "['*']")),
    everythingToYaml(origin.port),
  ]);
  return { seen, origin, port: port(443), requests };
}

test('each violation is answered as RFC 9113 says, nothing of it reaches an upstream, and others are served', async () => {
  const { seen, origin, port } = await scene();
  try {
    const wrong: string[] = [];
    for (const [what, section, bytes, expected] of VIOLATIONS) {
      const client = await FrameClient.open(port);
      client.send(PREFACE, SETTINGS, bytes);
      await expect
        .poll(() => client.fate(1), { message: `${what} (${section})`, timeout: 5000, interval: 2 })
        .toBeDefined()
        .catch(() => undefined);
      const fate = String(client.fate(1));
      if (!expected.test(fate)) wrong.push(`${what} (${section}): ${fate}`);
      client.destroy();
    }
    expect(wrong).toEqual([]);
    expect(seen.filter((line) => !line.startsWith('POST / '))).toEqual([]);
    const sane = await FrameClient.open(port);
    sane.send(PREFACE, SETTINGS, head(GET));
    await expect.poll(() => sane.fate(1)).toBe('END');
    sane.destroy();
  } finally {
    await origin.close();
  }
}, 60_000);

test('a field value with a control character never reaches an upstream', async () => {
  const { seen, origin, port } = await scene();
  try {
    for (const value of ['a\r\nx: y', 'a\nb', 'a\rb', 'a\0b', 'a\x7fb', ' a', 'a ']) {
      const client = await FrameClient.open(port);
      client.send(PREFACE, SETTINGS, withField('x-odd', value));
      await expect.poll(() => client.fate(1)).toMatch(/^(RST PROTOCOL_ERROR|END)$/);
      client.destroy();
    }
    // nghttp2 leaves such a field out.
    expect(seen.length).toBeLessThanOrEqual(7);
    expect(seen.filter((line) => line.includes('x-odd'))).toEqual([]);
  } finally {
    await origin.close();
  }
});

test('bytes beyond ASCII reach an upstream as they are: not as characters, of which some would end a line', async () => {
  const { seen, origin, port } = await scene();
  try {
    // U+010A and U+010D in UTF-8: cut to a byte each they would be LF and CR.
    const value = 'a\xc4\x8d\xc4\x8ax: y';
    const client = await FrameClient.open(port);
    client.send(PREFACE, SETTINGS, head([...GET, ['x-odd', value], ['x-long', `${'a'.repeat(100)}${value}`]]));
    await expect.poll(() => client.fate(1)).toBe('END');
    client.destroy();
    expect(seen).toHaveLength(1);
    expect(seen[0]).toContain(JSON.stringify(['x-odd', value, 'x-long', `${'a'.repeat(100)}${value}`]).slice(1, -1));
  } finally {
    await origin.close();
  }
});
