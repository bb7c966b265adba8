import type { Readable } from 'node:stream';

/** All of standard input. Rejects when `signal` aborts: who is asked for input may want to leave instead. */
export async function readStdin(signal: AbortSignal, input: Readable = process.stdin): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  const leave = (): void => void input.destroy();
  signal.addEventListener('abort', leave);
  try {
    if (signal.aborted) leave();
    for await (const chunk of input) chunks.push(chunk as Buffer);
  } catch (error) {
    // Without a code of the system's: it is no file that could not be read.
    throw signal.aborted ? new Error('interrupted', { cause: error }) : error;
  } finally {
    signal.removeEventListener('abort', leave);
  }
  return Buffer.concat(chunks);
}
