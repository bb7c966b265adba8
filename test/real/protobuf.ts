/** Messages of protobuf, as far as the tests of the mesh write and change them: https://protobuf.dev/programming-guides/encoding */

/** A field that has a length: text, bytes, or a message. */
function field(number: number, value: string | Buffer): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([varint(number * 8 + WITH_LENGTH), varint(bytes.length), bytes]);
}

/** All values of a field that has a length. */
export function valuesOf(message: Buffer, number: number): readonly Buffer[] {
  return fieldsOf(message).flatMap((each) => (each.number === number && each.value !== undefined ? [each.value] : []));
}

/** The message with each value of a field changed, or, where that is undefined, without it. */
export function withField(message: Buffer, number: number, change: (value: Buffer) => Buffer | undefined): Buffer {
  const parts = fieldsOf(message).map((each): Buffer => {
    if (each.number !== number || each.value === undefined) return each.whole;
    const changed = change(each.value);
    return changed === undefined ? Buffer.alloc(0) : field(number, changed);
  });
  return Buffer.concat(parts);
}

/** A message as gRPC sends it: that it is not compressed, its length, itself. */
export function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(HEAD);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Gives the messages of a stream of gRPC to `take`, whole, however they come in. */
export function messagesOf(take: (message: Buffer) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= HEAD && rest.length >= HEAD + rest.readUInt32BE(1)) {
      const end = HEAD + rest.readUInt32BE(1);
      take(rest.subarray(HEAD, end));
      rest = rest.subarray(end);
    }
  };
}

const HEAD = 5;
const WITH_LENGTH = 2;
/** Bytes of the wire types without a length. */
const FIXED: Readonly<Record<number, number>> = { 1: 8, 5: 4 };

interface Field {
  readonly number: number;
  /** Undefined where it has no length. */
  readonly value: Buffer | undefined;
  readonly whole: Buffer;
}

function fieldsOf(message: Buffer): readonly Field[] {
  const found: Field[] = [];
  for (let at = 0; at < message.length; ) {
    const tag = readVarint(message, at);
    const type = tag.value % 8;
    const length = type === WITH_LENGTH ? readVarint(message, tag.end) : undefined;
    const start = length?.end ?? tag.end;
    const end = type === 0 ? readVarint(message, start).end : start + (length?.value ?? FIXED[type] ?? 0);
    const value = length === undefined ? undefined : message.subarray(start, end);
    found.push({ number: Math.floor(tag.value / 8), value, whole: message.subarray(at, end) });
    at = end;
  }
  return found;
}

function readVarint(message: Buffer, at: number): { readonly value: number; readonly end: number } {
  let [value, factor, end] = [0, 1, at];
  for (;;) {
    const byte = message[end++] ?? 0;
    value += (byte % 128) * factor;
    factor *= 128;
    if (byte < 128) return { value, end };
  }
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}
