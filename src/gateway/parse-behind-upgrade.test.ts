import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { ClientConnection } from './client-connection.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { parseBehindUpgrade } from './parse-behind-upgrade.ts';

// Of a Node whose parser is another one, nothing but this can be tried here; what it does with ours: test/gateway/pipelining.test.ts.
test.each([undefined, {}, { execute: () => 0, getCurrentBuffer: () => Buffer.alloc(0) }])(
  'says so where the connection’s parser is not the one it knows',
  (parser) => {
    const socket = Object.assign(new Socket(), { parser });
    const request = { socket, complete: false } as unknown as IncomingMessage;
    expect(parseBehindUpgrade(request, new ClientConnection(socket, DEFAULT_LIMITS))).toBe(false);
    socket.destroy();
  },
);
