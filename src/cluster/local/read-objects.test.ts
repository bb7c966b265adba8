import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ObjectRef, StoredObject } from '../store.ts';
import { type Former, ReadObjects } from './read-objects.ts';

/** What a write leaves that changes everything. */
const NOTHING = { base: false, served: false };

const ref = (name: string): ObjectRef => ({ kind: 'VirtualService', namespace: 'default', name });

/** Rows as a table has them: what is read of one is a new object each time. */
function scene(...names: readonly string[]) {
  const rows = [...names];
  const reads: string[] = [];
  const formers: (Former | undefined)[] = [];
  const read = ({ name }: ObjectRef, former?: Former): StoredObject | undefined => {
    if (!rows.includes(name)) return undefined;
    reads.push(name);
    formers.push(former);
    const base = { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata: { name } };
    return { ref: ref(name), base, served: base, generation: 1, revision: 1, createdAt: '2026-11-29T00:00:00.000Z' };
  };
  return { rows, reads, formers, objects: new ReadObjects(() => rows.flatMap((name) => read(ref(name)) ?? []), read) };
}

const namesOf = (objects: ReadObjects): readonly string[] => objects.list().map((each) => each.ref.name);

describe('objects as they were read', () => {
  test('are the same until they are written, alone and in the list', () => {
    const { objects, reads } = scene('a', 'b');
    const [first, list] = [objects.get(ref('a')), objects.list()];
    expect(objects.get(ref('a'))).toBe(first);
    expect(objects.list()).toBe(list);
    expect(list[0]).toBe(first);
    expect(reads).toEqual(['a', 'b']);
    objects.written(ref('a'), NOTHING);
    expect(objects.get(ref('a'))).not.toBe(first);
    expect(objects.list()).not.toBe(list);
    expect(objects.list()[1]).toBe(list[1]);
    expect(reads).toEqual(['a', 'b', 'a']);
  });

  test('keep their order when they are written; new ones come last, and what is removed and made anew is new', () => {
    const { objects, rows } = scene('b', 'a');
    expect(namesOf(objects)).toEqual(['b', 'a']);
    rows.push('0');
    objects.written(ref('b'), NOTHING);
    objects.written(ref('0'), NOTHING);
    expect(namesOf(objects)).toEqual(['b', 'a', '0']);
    objects.removed(ref('b'));
    expect(objects.get(ref('b'))).toBeUndefined();
    objects.written(ref('b'), NOTHING);
    expect(namesOf(objects)).toEqual(['a', '0', 'b']);
  });

  test('are read with what all writes since left of them', () => {
    const { objects, formers } = scene('a');
    const object = objects.get(ref('a'));
    objects.written(ref('a'), { base: true, served: true });
    objects.written(ref('a'), { base: true, served: false });
    const next = objects.get(ref('a'));
    objects.written(ref('a'), { base: true, served: true });
    objects.get(ref('a'));
    expect(formers).toEqual([
      undefined,
      { object, kept: { base: true, served: false } },
      { object: next, kept: { base: true, served: true } },
    ]);
  });

  test('are read again where writes were undone', () => {
    const { objects, rows } = scene('a');
    objects.list();
    rows.push('b');
    objects.written(ref('b'), NOTHING);
    expect(namesOf(objects)).toEqual(['a', 'b']);
    rows.pop();
    objects.forget();
    expect(namesOf(objects)).toEqual(['a']);
    expect(objects.get(ref('b'))).toBeUndefined();
  });

  test('whatever is written and removed, in whatever order: the list is what a table has, each read once for every change', () => {
    const names = ['a', 'b', 'c', 'd'];
    const act = fc.record({
      what: fc.constantFrom('write' as const, 'write' as const, 'remove' as const, 'list' as const),
      name: fc.constantFrom(...names),
    });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 30 }), (acts) => {
        const { objects, rows, reads } = scene('a', 'b');
        objects.list();
        const does = {
          list: () => expect(namesOf(objects)).toEqual(rows),
          write: (name: string) => {
            if (!rows.includes(name)) rows.push(name);
            objects.written(ref(name), NOTHING);
          },
          remove: (name: string) => {
            if (rows.includes(name)) rows.splice(rows.indexOf(name), 1);
            objects.removed(ref(name));
          },
        };
        for (const { what, name } of acts) does[what](name);
        does.list();
        for (const name of names) expect(objects.get(ref(name))?.ref.name).toBe(rows.includes(name) ? name : undefined);
        expect(reads.length).toBeLessThanOrEqual(2 + acts.filter(({ what }) => what === 'write').length);
      }),
      { seed: 30, numRuns: 300 },
    );
  });
});
