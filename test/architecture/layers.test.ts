import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkArchitecture } from '../../tools/architecture.ts';
import { ROOT, TSC } from '../../tools/repository.ts';
import { runCommand } from '../../tools/run-command.ts';

/** docs/architecture.md, said once more on purpose: from which layers each layer may import. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  cluster: ['core'],
  controller: ['core', 'cluster'],
  gateway: ['core', 'cluster'],
  observers: ['core', 'cluster'],
  dashboard: ['core'],
  server: ['core', 'cluster', 'controller', 'gateway', 'observers'],
  demo: ['core', 'cluster', 'controller', 'gateway', 'observers', 'server'],
  cli: ['core', 'cluster', 'controller', 'gateway', 'observers', 'server', 'demo'],
};
const LAYERS = Object.keys(MAY_IMPORT);
const FORBIDDEN = LAYERS.flatMap((from) =>
  LAYERS.filter((to) => to !== from && !MAY_IMPORT[from]?.includes(to)).map((to) => [from, to] as const),
);

/** A small project under the real tsconfig files and rules of this repository. */
let root: string;

function write(path: string, text: string): string {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
  return path;
}

const compile = () =>
  runCommand(process.execPath, [TSC, '-b', '--pretty', 'false', ...LAYERS.map((layer) => `src/${layer}`)], { cwd: root });

const cruise = (files: readonly string[]) =>
  checkArchitecture(root, join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs'), files);

/** Each layer as one file that imports from every layer it may import from. */
let lawful: string[];

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'perch-layers-'));
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  for (const file of [
    'tsconfig.base.json',
    '.dependency-cruiser.cjs',
    'package.json',
    ...LAYERS.map((layer) => `src/${layer}/tsconfig.json`),
  ]) {
    write(file, readFileSync(join(ROOT, file), 'utf8'));
  }
  write('tsconfig.json', '{ "extends": "./tsconfig.base.json" }');
  lawful = Object.entries(MAY_IMPORT).map(([layer, below]) => {
    const imports = below.map((name) => `import { ${name} } from '../${name}/lawful.ts';\n`).join('');
    return write(
      `src/${layer}/lawful.ts`,
      `${imports}export const ${layer}: readonly string[] = [${below.map((name) => `...${name}`).join(', ')}];\n`,
    );
  });
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

test('downward imports compile and pass the rules', async () => {
  expect(await compile()).toMatchObject({ code: 0, output: '' });
  expect(await cruise(lawful)).toEqual({ ok: true, text: '' });
});

test('every upward or sideways import fails to compile and breaks the rule of its layer', async () => {
  const trespassers = FORBIDDEN.map(([from, to]) => {
    const target = write(`src/${to}/seen-from-${from}.ts`, 'export const forbidden = 1;\n');
    const file = write(
      `src/${from}/sees-${to}.ts`,
      `import { forbidden } from '../${to}/seen-from-${from}.ts';\nexport const seen = forbidden;\n`,
    );
    return { file, target, from };
  });
  const compiled = await compile();
  const cruised = await cruise([...lawful, ...trespassers.flatMap(({ file, target }) => [file, target])]);
  for (const { file, target } of trespassers) {
    rmSync(join(root, file));
    rmSync(join(root, target));
  }

  // 9 layers have 72 ordered pairs, of which MAY_IMPORT lists 26.
  expect(trespassers).toHaveLength(46);
  expect(compiled.code).not.toBe(0);
  expect(cruised.ok).toBe(false);
  for (const { file, target, from } of trespassers) {
    expect(compiled.output).toContain(`${file}(1,27): error TS6307`); // TS6307: not in the file list of this project.
    expect(cruised.text).toContain(`${file} -> ${target}\n  ${from}-imports-downwards-only: `);
  }
});

test.each([
  ['a Node global', `export const arguments_ = process.argv;\n`, /TS2591|TS2580|TS2304/],
  ['Buffer', `export const bytes = Buffer.from('x');\n`, /TS2591|TS2580|TS2304/],
  ['a timer', `setTimeout(() => undefined, 1);\nexport {};\n`, /TS2304/],
  ['the clock of a browser', `export const now = performance.now();\n`, /TS2304/],
  ['a Node module', `import { readFileSync } from 'node:fs';\nexport const text = readFileSync('x');\n`, /TS2307|TS2591/],
])('core cannot use %s', async (_, text, error) => {
  const file = write('src/core/impure.ts', text);
  const compiled = await compile();
  rmSync(join(root, file));
  expect(compiled.code).not.toBe(0);
  expect(compiled.output.split('\n')[0]).toMatch(/^src\/core\/impure\.ts\(1,/);
  expect(compiled.output).toMatch(error);
});

const BROKEN_RULES: readonly (readonly [rule: string, folder: string, imported: string])[] = [
  ['core-without-node', 'src/core', 'node:fs'],
  ['core-packages', 'src/core', 'playwright-core'],
  ['request-path-knows-no-release', 'src/core/routing', '../release/lawful.ts'],
  ['request-path-knows-no-release', 'src/gateway', '../core/release/lawful.ts'],
  ['yaml-is-read-in-core-source', 'src/core/istio', 'yaml'],
  ['yaml-is-read-in-core-source', 'src/server', 'yaml'],
  ['re2-runs-in-core-routing', 'src/gateway', 're2js'],
  ['http-framework-in-server-only', 'src/gateway', 'hono'],
  ['http-framework-in-server-only', 'src/demo', '@hono/node-server'],
  ['metrics-in-server-only', 'src/controller', 'prom-client'],
  ['argument-parsing-in-cli-only', 'src/demo', 'commander'],
  ['sqlite-behind-the-store', 'src/controller', 'node:sqlite'],
  ['src-without-tests-and-tools', 'src/cluster', '../../test/lawful.ts'],
  ['no-import-of-a-test', 'test', './lawful.test.ts'],
  ['src-without-development-packages', 'src/cli', 'fast-check'],
  ['dashboard-packages', 'src/dashboard', 'zod'],
  ['preact-in-dashboard-only', 'src/server', 'preact'],
  ['everything-resolves', 'src/cli', './missing.ts'],
  ['no-cycles', 'src/core', './itself-again.ts'],
];

describe('rules that no tsconfig can express', () => {
  let findings: string;

  beforeAll(async () => {
    const others = ['src/core/release/lawful.ts', 'test/lawful.ts', 'test/lawful.test.ts'].map((path) => write(path, 'export {};\n'));
    const broken = BROKEN_RULES.map(([rule, folder, imported]) => write(`${folder}/${rule}.ts`, `import '${imported}';\n`));
    const cycle = write('src/core/itself-again.ts', `import './no-cycles.ts';\n`);
    findings = (await cruise([...lawful, ...others, ...broken, cycle])).text;
    for (const file of [...others, ...broken, cycle]) rmSync(join(root, file));
  });

  test.each(BROKEN_RULES)('%s: %s must not import %s', (rule, folder) => {
    expect(findings).toMatch(new RegExp(`(^|-> )${folder}/${rule}\\.ts -> .*\\n  ${rule}: \\w`, 'm'));
  });

  test('every rule is tried here or above, and says why', () => {
    const { forbidden } = createRequire(import.meta.url)(join(ROOT, '.dependency-cruiser.cjs')) as {
      forbidden: { name: string; comment: string }[];
    };
    const tried = new Set([...BROKEN_RULES.map(([rule]) => rule), ...FORBIDDEN.map(([from]) => `${from}-imports-downwards-only`)]);
    expect(forbidden.map((rule) => rule.name).sort()).toEqual([...tried].sort());
    for (const rule of forbidden) expect(rule.comment.length).toBeGreaterThan(40);
  });
});

test('a cruise that reads nothing is not a pass', async () => {
  const files = [write('test/lonely-one.ts', 'export {};\n'), write('test/lonely-two.ts', 'export {};\n')];
  expect(await cruise(files)).toMatchObject({ ok: false, text: expect.stringContaining('saw 0 imports') });
});
