import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { NODE_FLAGS } from './node-flags.ts';
import { WorkerProcess } from './workers/worker-process.ts';

const ROOT = new URL('../../', import.meta.url);
const text = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');

/** Prints the flags that its process was started with, and ends it. */
const SHOW_FLAGS = `data:text/javascript,${encodeURIComponent('console.log(JSON.stringify(process.execArgv)); process.exit()')}`;

describe('the flags of a process that serves', () => {
  it.skipIf(process.platform === 'win32')('are those of perch run by its name', () => {
    const { stdout, stderr } = spawnSync(fileURLToPath(new URL('bin/perch.js', ROOT)), ['version'], {
      env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}`, NODE_OPTIONS: `--import=${SHOW_FLAGS}` },
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual(NODE_FLAGS);
  });

  it('are those of the image and of the demo', () => {
    expect(text('Dockerfile')).toContain(`"/nodejs/bin/node", ${NODE_FLAGS.map((flag) => `"${flag}"`).join(', ')}, "bin/perch.js"`);
    expect(text('package.json')).toContain(`"node ${NODE_FLAGS.join(' ')} bin/perch.js demo"`);
  });

  it.skipIf(!existsSync('/proc/self/cmdline'))('are those of a worker', async () => {
    const worker = new WorkerProcess(
      () => {},
      () => {},
    );
    const started = () => readFileSync(`/proc/${worker.pid}/cmdline`, 'utf8').split('\0').slice(1, -2);
    await expect.poll(started).toEqual(NODE_FLAGS);
    worker.kill();
    await worker.ended;
  });
});
