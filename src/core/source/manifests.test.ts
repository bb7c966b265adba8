import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { MAX_ALIAS_GROWTH } from './aliases.ts';
import { MAX_TEXT_LENGTH, type Manifests, parseManifests } from './manifests.ts';

const read = (text: string): Manifests => parseManifests(text, 'a.yaml');
const summary = (text: string): string[] =>
  read(text).diagnostics.map(({ code, source }) => `${source?.line}:${source?.column}-${source?.endLine}:${source?.endColumn} ${code}`);
/** The text under a range of one line. */
const underlined = (
  text: string,
  { line, column, endLine, endColumn }: { line: number; column: number; endLine: number; endColumn: number },
) => {
  expect(endLine).toBe(line);
  return text.split('\n')[line - 1]?.slice(column - 1, endColumn - 1);
};

const OBJECT = 'apiVersion: v1\nkind: Thing\nmetadata: {name: a}\n';

describe('documents', () => {
  test('each document is an object; the namespace defaults to "default"', () => {
    const { objects, diagnostics } = read(
      `${OBJECT}---\n${OBJECT}spec: {x: 1}\n---\napiVersion: v1\nkind: T\nmetadata: {name: b, namespace: shop}`,
    );
    expect(diagnostics).toEqual([]);
    expect(objects.map(({ object }) => [object.metadata.namespace, object.metadata.name, object.spec])).toEqual([
      ['default', 'a', undefined],
      ['default', 'a', { x: 1 }],
      ['shop', 'b', undefined],
    ]);
  });

  test.each(['', '\n\n', '---\n---\n', '# only a comment\n', '---\n# nothing\n...\n'])('%j has no objects and no mistakes', (text) => {
    expect(read(text)).toEqual({ objects: [], diagnostics: [] });
  });

  test('lists stand for their members, whatever kind of list', () => {
    const items = `items:\n- ${OBJECT.trimEnd().replaceAll('\n', '\n  ')}\n  spec: {n: 1}\n`;
    for (const kind of ['List', 'VirtualServiceList']) {
      const text = `apiVersion: v1\nkind: ${kind}\n${items}`;
      const { objects, diagnostics } = read(text);
      expect(diagnostics).toEqual([]);
      expect(objects.map(({ object }) => object.kind)).toEqual(['Thing']);
      expect(underlined(text, objects[0]?.locate(['spec', 'n']) ?? fail())).toBe('1');
    }
  });

  test('JSON is YAML', () => {
    expect(read('{"apiVersion": "v1", "kind": "T", "metadata": {"name": "a"}, "spec": {"port": 80}}').objects[0]?.object.spec).toEqual({
      port: 80,
    });
  });

  test('scalars are those of YAML 1.2: yes, on and 0o7 surprises included', () => {
    const { objects } = read(`${OBJECT}spec: [yes, on, true, 010, 0o10, 1e3, ~, "80", 2026-01-01]`);
    expect(objects[0]?.object.spec).toEqual(['yes', 'on', true, 10, 8, 1000, null, '80', '2026-01-01']);
  });

  test('keys are text, so ports need no quotes', () => {
    expect(read(`${OBJECT}spec: {8080: x}`).objects[0]?.object.spec).toEqual({ '8080': 'x' });
  });

  test('creationTimestamp: null, as kubectl writes it, is as if it were absent', () => {
    const { objects, diagnostics } = read('apiVersion: v1\nkind: T\nmetadata:\n  name: a\n  creationTimestamp: null');
    expect(diagnostics).toEqual([]);
    expect(objects[0]?.object.metadata).toEqual({ name: 'a', namespace: 'default' });
  });

  test('any value survives being written as YAML and read again', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), (spec) => {
        const object = { apiVersion: 'v1', kind: 'T', metadata: { name: 'a', namespace: 'default' }, spec };
        const { objects, diagnostics } = read(stringify(object, { aliasDuplicateObjects: false }));
        expect(diagnostics).toEqual([]);
        expect(JSON.parse(JSON.stringify(objects[0]?.object))).toEqual(JSON.parse(JSON.stringify(object)));
      }),
      { seed: 3, numRuns: 300 },
    );
  });

  test('no text makes it throw', () => {
    const scrap = fc.constantFrom(
      'a: ',
      '- ',
      '\n',
      '  ',
      '{',
      '}',
      '[',
      ']',
      '&x ',
      '*x',
      '"',
      "'",
      '!t ',
      '|\n',
      '---\n',
      '? ',
      '\t',
      '#',
      '%YAML 1.1\n',
      ',',
      'kind: List\nitems:\n',
    );
    fc.assert(
      fc.property(fc.array(scrap, { maxLength: 30 }), (scraps) => {
        const { objects, diagnostics } = read(scraps.join(''));
        for (const { source, hint } of diagnostics) expect([source?.file, typeof hint]).toEqual(['a.yaml', 'string']);
        for (const { object } of objects) expect(object.metadata.name).not.toBe('');
      }),
      { seed: 4, numRuns: 2000 },
    );
  });
});

describe('mistakes, each with its place', () => {
  test.each([
    ['a: 1\nb: [1, 2\n', ['3:1-3:2 PERCH1001'], 'an open bracket'],
    ['a:\n\t- b', ['2:1-2:2 PERCH1001'], 'a tab as indentation'],
    ['a: b: c', ['1:4-1:5 PERCH1001'], 'two colons'],
    ['a: 1\nb: 2\na: 3\nc: {d: 1, d: 2}', ['3:1-3:2 PERCH1003', '4:11-4:12 PERCH1003'], 'keys that stand twice'],
    ['a: !foo 1\nb: !!binary aa', ['1:4-1:8 PERCH1005', '2:4-2:12 PERCH1005'], 'tags'],
    ['%YAML 1.1\n---\na: yes', ['1:1-1:2 PERCH1005'], 'another YAML version'],
    ['a: *b', ['1:4-1:6 PERCH1004'], 'an alias of nothing'],
    ['a: &b [*b]', ['1:8-1:10 PERCH1004'], 'an alias inside its own anchor'],
    ['? [a]\n: b', ['1:3-1:4 PERCH1001'], 'a list as key'],
    ['just text', ['1:1-1:10 PERCH1006'], 'no object'],
  ])('%j', (text, expected) => {
    expect(summary(text)).toEqual(expected);
    expect(read(text).objects).toEqual([]);
  });

  test('a document with mistakes does not keep the others from being read', () => {
    const { objects, diagnostics } = read(`a: [\n---\n${OBJECT}---\nkind: T\n`);
    expect(objects.map(({ object }) => object.kind)).toEqual(['Thing']);
    expect(diagnostics.map(({ code, path }) => [code, path])).toEqual([
      ['PERCH1001', undefined],
      ['PERCH1007', 'apiVersion'],
      ['PERCH1007', 'metadata.name'],
    ]);
  });

  test('metadata is judged by field, and all at once', () => {
    const text = 'apiVersion: v1\nkind: 4\nmetadata:\n  name: a/b\n  namespace: Shop\n  labels: {version: 1.0, app: x}\n  annotations: 3\n';
    expect(read(text).diagnostics.map(({ code, path, source }) => [code, path, source && underlined(text, source)])).toEqual([
      ['PERCH1008', 'kind', '4'],
      ['PERCH1008', 'metadata.name', 'a/b'],
      ['PERCH1008', 'metadata.namespace', 'Shop'],
      ['PERCH1008', 'metadata.labels.version', '1.0'],
      ['PERCH1008', 'metadata.annotations', '3'],
    ]);
  });

  test('a text over the limit is refused unread, one at the limit is read', () => {
    const fits = `#${' '.repeat(MAX_TEXT_LENGTH - 1)}`;
    expect(summary(fits)).toEqual([]);
    expect(summary(`${fits} `)).toEqual(['1:1-1:1 PERCH1002']);
  });
});

describe('hostile texts are refused quickly', () => {
  test('an alias bomb', () => {
    const names = [...'abcdefghij'];
    const lines = names.map(
      (name, index) =>
        `${name}: &${name} [${Array(10)
          .fill(index === 0 ? 'x' : `*${names[index - 1]}`)
          .join(', ')}]`,
    );
    expect(read(lines.join('\n')).diagnostics.map(({ code }) => code)).toEqual(['PERCH1004']);
  });

  test('aliases may add so many values, and no more', () => {
    const uses = (count: number) => `apiVersion: v1\nkind: T\nmetadata: {name: a}\nspec: [&x 1${', *x'.repeat(count)}]`;
    expect(read(uses(MAX_ALIAS_GROWTH)).diagnostics).toEqual([]);
    expect(read(uses(MAX_ALIAS_GROWTH + 1)).diagnostics.map(({ code }) => code)).toEqual(['PERCH1004']);
  });

  test.each([
    ['deeply nested lists', '['.repeat(100_000)],
    ['a mapping of very many keys', Array.from({ length: 60_000 }, (_, index) => `k${index}:`).join('\n')],
  ])('%s', (_, text) => {
    const start = performance.now();
    expect(read(text).diagnostics.length).toBeGreaterThan(0);
    // Quadratic work on these would take minutes.
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});

describe('locate', () => {
  const text = [
    'apiVersion: v1',
    'kind: T',
    'metadata: {name: a}',
    'spec:',
    '  base: &base {weight: 10}',
    '  steps:',
    '  - *base',
    '  - weight: 50',
    '    hold:',
    '  "odd.key": x',
  ].join('\n');
  const { locate } = read(text).objects[0] ?? fail();

  test.each([
    [['spec', 'steps', 1, 'weight'], '50', 'weight'],
    [['spec', 'steps', 0, 'weight'], '10', 'weight'],
    [['spec', 'odd.key'], 'x', '"odd.key"'],
    [['metadata', 'name'], 'a', 'name'],
    [['spec', 'steps'], 'steps', 'steps'],
  ])('%j: value %s, key %s', (path, value, key) => {
    expect(underlined(text, locate(path))).toBe(value);
    expect(underlined(text, locate(path, 'key'))).toBe(key);
  });

  test('a list’s member is its first line', () => {
    expect(locate(['spec', 'steps', 1])).toMatchObject({ line: 8, column: 5, endLine: 8, endColumn: 15 });
  });

  test('what is absent is found at its nearest ancestor', () => {
    expect(underlined(text, locate(['spec', 'route', 'adopt']))).toBe('spec');
    expect(locate(['spec', 'steps', 7, 'weight'])).toEqual(locate(['spec', 'steps']));
    expect(locate(['status']).line).toBe(1);
  });

  test('a key without a value stands for itself', () => {
    expect(locate(['spec', 'steps', 1, 'hold'])).toMatchObject({ line: 9 });
  });
});

function fail(): never {
  throw new Error('the text under test has no such object');
}
