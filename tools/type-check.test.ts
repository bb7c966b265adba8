import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ROOT } from './repository.ts';
import { checkTypes } from './type-check.ts';

let root: string;

function write(path: string, text: string): void {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), text);
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'perch-types-'));
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  const compilerOptions = {
    composite: true,
    module: 'nodenext',
    target: 'es2024',
    types: [],
    strict: true,
    outDir: 'dist/all',
    tsBuildInfoFile: 'dist/all/.tsbuildinfo',
  };
  write('package.json', '{ "type": "module" }');
  write('tsconfig.json', JSON.stringify({ compilerOptions, include: ['src/**/*.ts'] }));
  write('src/sum.ts', 'export const sum = (a: number, b: number): number => a + b;\n');
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

test('code without errors passes', async () => {
  expect(await checkTypes(root)).toEqual({ ok: true, text: '' });
});

test('an error is shown, also when the check is run again without a change', async () => {
  write('src/wrong.ts', `export const wrong: number = 'text';\n`);
  const first = await checkTypes(root);
  expect(first).toEqual({ ok: false, text: expect.stringMatching(/^src\/wrong\.ts\(1,14\): error TS2322/) });
  expect(await checkTypes(root)).toEqual(first);
});

test('a file that no tsconfig.json includes is not waved through', async () => {
  write('tools/forgotten.ts', `export const wrong: number = 'text';\n`);
  expect(await checkTypes(root)).toEqual({ ok: false, text: expect.stringMatching(/nobody checks them:\ntools\/forgotten\.ts\n$/) });
});
