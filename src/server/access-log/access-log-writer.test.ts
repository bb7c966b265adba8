import { execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AccessLogWriter, openAccessLog } from './access-log-writer.ts';

let folder: string;
let log: AccessLogWriter | undefined;
const warnings: string[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perch-log-'));
  warnings.length = 0;
});

afterEach(async () => {
  await log?.close();
  log = undefined;
  await rm(folder, { recursive: true, force: true });
});

async function openAt(target: string): Promise<AccessLogWriter> {
  log = await openAccessLog(target, (message) => void warnings.push(message));
  return log;
}

test('appends lines in order, also those that wait at the end', async () => {
  const file = join(folder, 'log');
  await writeFile(file, 'before\n');
  const opened = await openAt(file);
  const lines = Array.from({ length: 5000 }, (_, index) => `{"n":${index},"é":"x"}`);
  for (const line of lines) opened.write(line);
  await opened.close();
  expect(await readFile(file, 'utf8')).toBe(`before\n${lines.join('\n')}\n`);
  expect(opened.dropped()).toBe(0);
});

test('goes on in a new file once the old one was renamed, and at once where it is told to', async () => {
  const file = join(folder, 'log');
  const opened = await openAt(file);
  const wrote = (line: string, path = file) =>
    expect.poll(() => readFile(path, 'utf8').catch(() => ''), { timeout: 10_000 }).toContain(line);
  opened.write('one');
  await wrote('one');
  await rename(file, join(folder, 'log.1'));
  await expect
    .poll(
      () => {
        opened.write('two');
        return readFile(file, 'utf8').catch(() => '');
      },
      { timeout: 10_000 },
    )
    .toContain('two');
  await rename(file, join(folder, 'log.2'));
  opened.reopen();
  opened.write('three');
  await wrote('three');
  expect(await readFile(join(folder, 'log.1'), 'utf8')).toMatch(/^one\n/);
  expect(await readFile(join(folder, 'log.2'), 'utf8')).not.toContain('three');
});

test('a pipe that nobody reads holds nothing up: memory is bounded, what is too much is counted, and the end comes', async () => {
  const fifo = join(folder, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  const opened = await openAt(fifo);
  const line = 'x'.repeat(999);
  for (let count = 0; count < 20_000; count++) opened.write(line);
  const given = 20_000;
  const dropped = opened.dropped();
  // 4 MiB wait.
  expect(given - dropped).toBeGreaterThan(4000);
  expect(given - dropped).toBeLessThan(4400);
  expect(warnings).toEqual([expect.stringContaining('lines come faster than they can be written')]);
  // Once somebody reads, whole lines come, and new ones are taken.
  const buffer = Buffer.alloc(1 << 20);
  let received = '';
  const expected = (given - dropped) * 1000;
  await expect
    .poll(
      () => {
        try {
          for (let read = readSync(reader, buffer); read > 0; read = readSync(reader, buffer))
            received += buffer.toString('latin1', 0, read);
        } catch {
          // Nothing is there yet.
        }
        return received.length;
      },
      { timeout: 20_000, interval: 5 },
    )
    .toBe(expected);
  expect(new Set(received.split('\n'))).toEqual(new Set([line, '']));
  opened.write('last');
  await expect.poll(() => readSync(reader, buffer), { timeout: 10_000, interval: 20 }).toBe(5);
  closeSync(reader);
});

test('lines that come while others are being written are written before the end, too', async () => {
  const fifo = join(folder, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  const opened = await openAt(fifo);
  const lines = Array.from({ length: 180 }, (_, index) => `${index} ${'x'.repeat(1000)}`);
  const [first, others] = [lines.slice(0, 90), lines.slice(90)];
  for (const line of first) opened.write(line);
  const buffer = Buffer.alloc(1 << 20);
  let received = '';
  const read = (): string => {
    try {
      received += buffer.toString('latin1', 0, readSync(reader, buffer));
    } catch {
      // Nothing is there yet.
    }
    return received;
  };
  // More than a pipe holds: the rest of it is still to be written.
  await expect.poll(read).not.toBe('');
  for (const line of others) opened.write(line);
  const closing = opened.close();
  await expect.poll(() => read().length, { interval: 5 }).toBe(lines.join('\n').length + 1);
  await closing;
  expect(received).toBe(`${lines.join('\n')}\n`);
  expect(opened.dropped()).toBe(0);
  closeSync(reader);
});

test('a full disk drops lines, says so, and does not tear the next line', async () => {
  const opened = await openAt('/dev/full');
  opened.write('one');
  await expect.poll(() => opened.dropped()).toBe(1);
  expect(warnings).toEqual([expect.stringMatching(/^1 line of the access log \/dev\/full were not written: ENOSPC/)]);
  opened.write('two');
  await expect.poll(() => opened.dropped()).toBe(2);
  expect(warnings).toHaveLength(1);
});

test('what cannot be opened is said at the start: a folder that is not there, a FIFO without a reader', async () => {
  await expect(openAccessLog(join(folder, 'none', 'log'), () => {})).rejects.toMatchObject({ code: 'ENOENT' });
  const fifo = join(folder, 'fifo');
  execFileSync('mkfifo', [fifo]);
  await expect(openAccessLog(fifo, () => {})).rejects.toMatchObject({ code: 'ENXIO' });
});

test('stdout into a pipe that is not read leaves the process free to work and to end', async () => {
  const module = new URL('access-log-writer.ts', import.meta.url).href;
  const program = `
    const { openAccessLog } = await import(${JSON.stringify(module)});
    const log = await openAccessLog('-', () => {});
    for (let n = 0; n < 20000; n++) log.write('x'.repeat(1000));
    const before = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 300));
    console.error('free after', Math.round(performance.now() - before) < 5000, log.dropped() > 0);
    await log.close();
    process.exit(7);`;
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  child.stdout.destroy();
  expect(said).toContain('free after true true');
  expect(code).toBe(7);
}, 60_000);
