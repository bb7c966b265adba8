import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { versionLine } from './perch-version.ts';

const BIN = fileURLToPath(new URL('../../bin/perch.js', import.meta.url));

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'perch-main-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function perch(
  args: readonly string[],
  cache: string,
): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const { NODE_COMPILE_CACHE: _, NODE_DISABLE_COMPILE_CACHE: __, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', BIN, ...args], {
    env: { ...env, XDG_CACHE_HOME: cache },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('perch version', () => {
  it('says the same by the short way as by the command line', () => {
    const said = { status: 0, stdout: `${versionLine()}\n`, stderr: '' };
    expect(perch(['version'], folder)).toEqual(said);
    expect(perch(['-n', 'default', 'version'], folder)).toEqual(said);
    expect(JSON.parse(perch(['version', '-o', 'json'], folder).stdout)).toMatchObject({ node: process.versions.node });
    expect(perch(['version', 'of'], folder).status).toBe(2);
  });
});

/** Linux: a device that is always full. */
const FULL = '/dev/full';

describe.skipIf(!existsSync(FULL))('output that cannot be written, on a full disk', () => {
  it('ends a command with one line and exit code 2, or silently where that line cannot be written either', () => {
    const [out, err] = [openSync(FULL, 'w'), join(folder, 'err')];
    for (const args of [['version'], ['explain'], ['--help'], ['completion', 'bash']]) {
      const run = (stderr: number): number | null =>
        spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', BIN, ...args], { stdio: ['ignore', out, stderr] }).status;
      const file = openSync(err, 'w');
      expect([run(file), run(out)]).toEqual([2, 2]);
      closeSync(file);
      expect(readFileSync(err, 'utf8')).toMatch(/^error: the output cannot be written \(ENOSPC: [^\n]+\)\n$/);
    }
    closeSync(out);
  });
});

describe('what Node makes of the source', () => {
  it('is kept in the user’s cache folder', () => {
    expect(perch(['version'], folder).status).toBe(0);
    expect(readdirSync(join(folder, 'perch', 'compiled'))).toHaveLength(1);
  });

  it('is made anew each time where nothing can be kept', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(perch(['version'], file)).toEqual({ status: 0, stdout: `${versionLine()}\n`, stderr: '' });
  });
});
