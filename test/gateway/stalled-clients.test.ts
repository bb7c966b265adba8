import { expect, it } from 'vitest';
import { MEGABYTE } from './large-body.ts';
import { measureStalled, type Stalled } from './stalled-clients.ts';

const COUNT = 50;
/** What one of them may hold in the gateway's process: read buffers, and what waits to be written. Without back-pressure it would be 32 MiB. */
const EACH = MEGABYTE / 2;
/** What the heap grows by whatever their number is. */
const FIXED = 64 * MEGABYTE;

it.each<Stalled>(['downloads', 'uploads'])(
  '%s of 50 clients that stand still cost a bounded amount of memory each, and others are served',
  async (kind) => {
    const { before, stalled } = await measureStalled(kind, COUNT);
    expect(stalled - before).toBeLessThan(COUNT * EACH + FIXED);
  },
);
