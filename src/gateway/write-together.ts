import type { Socket } from 'node:net';

/** Sockets that hold back what was written to them, in the order of the first write. */
let waiting: Socket[] = [];

/**
 * Writes latin1 text to a socket, but only once everything has been handled that this turn of the event loop has read; later writes to the
 * socket wait with it and keep their order. Under load many writes then follow one another, and the processes at their other ends, once
 * woken, find more to do before they sleep again: waking them is what a small message costs most. `done`: as of `Socket.write`.
 */
export function writeTogether(socket: Socket, text: string, done?: (error?: Error | null) => void): void {
  if (waiting.length === 0) setImmediate(writeAll);
  waiting.push(socket);
  socket.cork();
  socket.write(text, 'latin1', done);
}

function writeAll(): void {
  const sockets = waiting;
  waiting = [];
  for (const socket of sockets) socket.uncork();
}
