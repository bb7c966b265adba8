import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startWorkQueue, type WorkQueueOptions } from './work-queue.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A reconciler whose passes end when the test says so. */
function manualPasses() {
  const started: string[] = [];
  const open: { readonly key: string; readonly end: (next?: number) => void; readonly fail: (error: Error) => void }[] = [];
  const reconcile = (key: string): Promise<number | undefined> => {
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
    started.push(key);
    open.push({ key, end: resolve, fail: reject });
    return promise;
  };
  const next = () => open.shift() ?? expect.fail('no pass is running');
  return { started, open, reconcile, next };
}

function start(options: Partial<WorkQueueOptions> & Pick<WorkQueueOptions, 'reconcile'>) {
  const onError = (key: string, error: unknown): void => expect.fail(`${key}: ${error}`);
  return startWorkQueue({ onError, random: () => 1, ...options });
}

/** Lets time pass, and then what became due begin. */
async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
  // The event loop's turns are real ones; two, since a pass may end in the first and another begin in the second.
  for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

const settle = () => pass(0);

describe('load', () => {
  test('says what waits and what runs, and each pass how long it waited', async () => {
    const { next, reconcile } = manualPasses();
    const waits: number[] = [];
    const queue = start({
      workers: 1,
      reconcile: (key, waitedMs) => {
        waits.push(waitedMs);
        return reconcile(key);
      },
    });
    for (const key of ['a', 'b', 'c']) queue.add(key);
    queue.addAfter('later', 60_000);
    expect(queue.load()).toEqual({ waiting: 3, running: 0 });
    await settle();
    expect(queue.load()).toEqual({ waiting: 2, running: 1 });
    await pass(700);
    next().end();
    await settle();
    next().end();
    await settle();
    next().end();
    await settle();
    expect(queue.load()).toEqual({ waiting: 0, running: 0 });
    expect(waits).toEqual([0, 700, 700]);
  });
});

describe('add', () => {
  test('a key added many times before its pass gets one pass', async () => {
    const { started, reconcile } = manualPasses();
    const queue = start({ reconcile });
    for (let i = 0; i < 5; i += 1) queue.add('a');
    expect(started).toEqual([]);
    await settle();
    expect(started).toEqual(['a']);
  });

  test('a key added during its pass gets exactly one more, after it', async () => {
    const { started, next, reconcile } = manualPasses();
    const queue = start({ reconcile });
    queue.add('a');
    await settle();
    queue.add('a');
    queue.add('a');
    await settle();
    expect(started).toEqual(['a']);
    next().end();
    await settle();
    expect(started).toEqual(['a', 'a']);
    next().end();
    await settle();
    expect(started).toEqual(['a', 'a']);
  });

  test('keys run beside each other, no more at once than there are workers, in the order in which they came', async () => {
    const { started, next, reconcile } = manualPasses();
    const queue = start({ reconcile, workers: 2 });
    for (const key of ['a', 'b', 'c', 'd']) queue.add(key);
    await settle();
    expect(started).toEqual(['a', 'b']);
    next().end();
    await settle();
    expect(started).toEqual(['a', 'b', 'c']);
  });

  test('for any sequence of adds and ends: never two passes of one key at a time, and each add is followed by a pass', async () => {
    const action = fc.oneof(
      fc.constantFrom('a', 'b', 'c').map((add) => ({ add })),
      fc.nat(3).map((end) => ({ end })),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 60 }), async (actions) => {
        const { open, started, reconcile } = manualPasses();
        const queue = start({ reconcile, workers: 2 });
        const due = new Set<string>();
        let seen = 0;
        const observe = async (): Promise<void> => {
          await settle();
          for (; seen < started.length; seen += 1) due.delete(started[seen] ?? '');
          const keys = open.map((pass) => pass.key);
          expect(new Set(keys).size).toBe(keys.length);
          expect(keys.length).toBeLessThanOrEqual(2);
        };
        for (const each of actions) {
          if ('add' in each) {
            due.add(each.add);
            queue.add(each.add);
          } else open.splice(each.end, 1)[0]?.end();
          await observe();
        }
        while (open.length > 0) {
          open.shift()?.end();
          await observe();
        }
        expect([...due]).toEqual([]);
      }),
      { seed: 5, numRuns: 200 },
    );
  });
});

describe('addAfter', () => {
  test('waits, and of several times the earliest counts', async () => {
    const { started, reconcile } = manualPasses();
    const queue = start({ reconcile });
    queue.addAfter('a', 500);
    queue.addAfter('a', 100);
    queue.addAfter('a', 900);
    await pass(99);
    expect(started).toEqual([]);
    await pass(1);
    expect(started).toEqual(['a']);
    await pass(2000);
    expect(started).toEqual(['a']);
  });

  test('is how a pass asks for the next one', async () => {
    const { started, next, reconcile } = manualPasses();
    const queue = start({ reconcile });
    queue.add('a');
    await settle();
    next().end(250);
    await pass(249);
    expect(started).toEqual(['a']);
    await pass(1);
    expect(started).toEqual(['a', 'a']);
  });

  test('a hold longer than a timer can be does not fire at once', async () => {
    const delays: number[] = [];
    const schedule = (ms: number) => {
      delays.push(ms);
      return () => undefined;
    };
    start({ reconcile: manualPasses().reconcile, schedule }).addAfter('a', 40 * 86_400_000);
    expect(delays).toEqual([2 ** 31 - 1]);
  });
});

describe('a pass that fails', () => {
  test('comes again after a delay that doubles up to a bound, and from the start once it has succeeded', async () => {
    const failures: number[] = [];
    const { started, next, reconcile } = manualPasses();
    const onError = (_key: string, _error: unknown, count: number): void => void failures.push(count);
    const queue = start({ reconcile, onError, baseDelayMs: 100, maxDelayMs: 400 });
    queue.add('a');
    await settle();
    for (const delay of [100, 200, 400, 400]) {
      const before = started.length;
      next().fail(new Error('unreachable'));
      await pass(delay - 1);
      expect(started.length).toBe(before);
      await pass(1);
      expect(started.length).toBe(before + 1);
    }
    next().end();
    queue.add('a');
    await settle();
    next().fail(new Error('unreachable'));
    await pass(100);
    expect(failures).toEqual([1, 2, 3, 4, 1]);
    expect(started).toHaveLength(7);
  });

  test('comes again at once when something changed meanwhile', async () => {
    const { started, next, reconcile } = manualPasses();
    const queue = start({ reconcile, onError: () => undefined, baseDelayMs: 60_000 });
    queue.add('a');
    await settle();
    queue.add('a');
    next().fail(new Error('unreachable'));
    await settle();
    expect(started).toEqual(['a', 'a']);
  });

  test('spreads its delay over half of it', async () => {
    const delays: number[] = [];
    const schedule = (ms: number) => {
      delays.push(ms);
      return () => undefined;
    };
    for (const random of [0, 0.5, 0.999]) {
      const { next, reconcile } = manualPasses();
      start({ reconcile, schedule, onError: () => undefined, random: () => random, baseDelayMs: 1000 }).add('a');
      await settle();
      next().fail(new Error('unreachable'));
      await settle();
    }
    expect(delays).toEqual([500, 750, 1000]);
  });
});

describe('shutDown', () => {
  test('waits for the passes that run, and starts no other', async () => {
    const { started, next, reconcile } = manualPasses();
    const queue = start({ reconcile, workers: 1 });
    queue.add('a');
    queue.add('b');
    queue.addAfter('c', 10);
    await settle();
    let isDown = false;
    const down = queue.shutDown().then(() => {
      isDown = true;
    });
    queue.add('d');
    await pass(1000);
    expect(isDown).toBe(false);
    next().end(5);
    await down;
    await pass(1000);
    expect(started).toEqual(['a']);
    await queue.shutDown();
  });
});

describe('a pass that came too late', () => {
  test('is done again at once, then after twice as long each time; one that came in time ends that', async () => {
    const answers: ('again' | undefined)[] = [...Array.from({ length: 5 }, () => 'again' as const), undefined, 'again', undefined];
    const at: number[] = [];
    const queue = start({
      reconcile: async () => {
        at.push(performance.now());
        return answers[at.length - 1];
      },
      baseDelayMs: 100,
      maxDelayMs: 400,
    });
    const began = performance.now();
    queue.add('a');
    for (let ms = 0; ms < 3000; ms += 50) await pass(50);
    queue.add('a');
    for (let ms = 0; ms < 1000; ms += 50) await pass(50);
    const waits = at.map((time, index) => Math.round((time - (at[index - 1] ?? began)) / 50) * 50);
    expect(waits.slice(0, 6)).toEqual([0, 0, 100, 200, 400, 400]);
    expect(waits.slice(7)).toEqual([0]);
  });

  test('one that failed leaves whoever failed alone for as long as that asks', async () => {
    const at: number[] = [];
    const queue = start({
      reconcile: async () => {
        at.push(performance.now());
        throw new Error('busy');
      },
      onError: () => undefined,
      leastDelayMs: () => 1000,
      baseDelayMs: 10,
      maxDelayMs: 20,
    });
    queue.add('a');
    for (let ms = 0; ms < 3500; ms += 50) await pass(50);
    expect(at.length).toBe(4);
  });

  test('nor does anything that adds it meanwhile, during the pass that failed or after it, bring it back earlier', async () => {
    const at: number[] = [];
    const { next, reconcile } = manualPasses();
    const queue = start({
      reconcile: (key) => {
        if (key === 'a') at.push(performance.now());
        return reconcile(key);
      },
      onError: () => undefined,
      leastDelayMs: () => 1000,
      baseDelayMs: 10,
    });
    const began = performance.now();
    queue.add('a');
    queue.addAfter('a', 300);
    await settle();
    queue.add('a');
    next().fail(new Error('busy'));
    for (let ms = 0; ms < 900; ms += 50) {
      queue.add('a');
      queue.addBehind('a');
      queue.addAfter('a', 5);
      await pass(50);
    }
    expect(queue.load()).toEqual({ waiting: 0, running: 0 });
    queue.add('b');
    await settle();
    next().end();
    await pass(150);
    expect(at.map((time) => Math.round((time - began) / 50) * 50)).toEqual([0, 1000]);
    // Once it may, it may as soon as ever.
    next().end();
    await settle();
    queue.add('a');
    await settle();
    expect(at.length).toBe(3);
  });
});

describe('addBehind', () => {
  test('keys wait behind all that were added otherwise, in their order; added, one waits behind no longer', async () => {
    const { started, next, reconcile } = manualPasses();
    const queue = start({ reconcile, workers: 1 });
    for (const key of ['a', 'b', 'c', 'd']) queue.addBehind(key);
    await settle();
    queue.add('x');
    queue.addBehind('x');
    queue.add('c');
    queue.addBehind('b');
    expect(queue.load()).toEqual({ waiting: 4, running: 1 });
    for (let count = 0; count < 5; count++) {
      next().end();
      await settle();
    }
    expect(started).toEqual(['a', 'x', 'c', 'b', 'd']);
    queue.addBehind('e');
    await queue.shutDown();
    expect(queue.load()).toEqual({ waiting: 0, running: 0 });
  });
});
