import { setImmediate as nextTurn } from 'node:timers/promises';

/** Characters of a slice, at least: its text is still warm when it is encoded, and to make it takes less than a millisecond. */
const SLICE = 64 * 1024;

/**
 * A text as a body: made a slice at a time, as it is read, and with a turn of the event loop before each, so that a long one holds up nobody's
 * request. Who reads no further has no further pieces made.
 */
export function slicedStream(pieces: Iterable<string>): ReadableStream<Uint8Array> {
  const iterator = pieces[Symbol.iterator]();
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        await nextTurn();
        let slice = '';
        while (slice.length < SLICE) {
          const { done, value } = iterator.next();
          if (done === true) {
            if (slice !== '') controller.enqueue(encoder.encode(slice));
            controller.close();
            return;
          }
          slice += value;
        }
        controller.enqueue(encoder.encode(slice));
      },
      cancel() {
        iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
