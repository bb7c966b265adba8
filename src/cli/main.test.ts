import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
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

/** Linux: a device that is always full. */
const FULL = '/dev/full';

describe.skipIf(!existsSync(FULL))('output that cannot be written', () => {
  it('is one line and exit code 2, whichever command writes it', () => {
    for (const args of [['explain'], ['--help'], ['completion', 'bash']]) {
      const out = openSync(FULL, 'w');
      const { status, stderr } = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', BIN, ...args], {
        stdio: ['ignore', out, 'pipe'],
        encoding: 'utf8',
      });
      closeSync(out);
      expect([status, stderr]).toEqual([2, expect.stringMatching(/^error: cannot write the output: ENOSPC.*\n$/)]);
    }
  });
});
