/**
 * What to say of output that cannot be written, in a line. Undefined where nobody reads it any more, which is no failure: a closed pipe
 * (EPIPE, as in `perch get | head`), or a terminal that is gone.
 */
export function outputError(stream: NodeJS.WriteStream, error: NodeJS.ErrnoException): string | undefined {
  if (error.code === 'EPIPE' || (error.code === 'EIO' && stream.isTTY)) return undefined;
  return `error: the output cannot be written (${error.message})`;
}
