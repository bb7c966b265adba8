import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../istio/resources.ts';
import { virtualService } from './fixtures.cases.ts';
import { delegatesOfRoot, delegatesTo, describeRouteObject, isSameObject, routeObject } from './route-object.ts';

const inNamespace = (object: KubeObject, namespace: string | undefined): KubeObject => {
  const { namespace: _, ...metadata } = object.metadata;
  return { ...object, metadata: { ...metadata, ...(namespace === undefined ? {} : { namespace }) } };
};
const to = (name: string, namespace?: string) => ({ delegate: { name, ...(namespace === undefined ? {} : { namespace }) } });
const ROUTE = { route: [{ destination: { host: 'web' } }] };
const NO_HOSTS = { hosts: undefined, gateways: undefined };

describe('a VirtualService as weaving reads it', () => {
  it('has the namespace that it names, else the one that is given', () => {
    const object = virtualService([ROUTE]);
    expect(routeObject(object, 'b')).toEqual({ object, namespace: 'default', name: 'web', spec: object.spec, delegations: [] });
    expect(routeObject(inNamespace(object, undefined), 'b').namespace).toBe('b');
    expect(describeRouteObject(routeObject(inNamespace(object, undefined), 'b'))).toBe('VirtualService b/web');
  });

  it.each([[undefined], [null], ['text']])('a spec that is none is empty: %j', (spec) => {
    const object = { ...virtualService([]), spec };
    expect(routeObject(object as KubeObject, 'default').spec).toEqual({});
  });

  it('is the same object where both names are', () => {
    const [web, other, far] = [virtualService([]), virtualService([], {}, 'other'), inNamespace(virtualService([]), 'far')].map((each) =>
      routeObject(each, 'default'),
    );
    if (web === undefined || other === undefined || far === undefined) throw new Error('three were read');
    expect([web, other, far].map((each) => isSameObject(web, each))).toEqual([true, false, false]);
    expect(isSameObject(web, routeObject(virtualService([ROUTE]), 'default'))).toBe(true);
  });
});

describe('delegations to an object without hosts', () => {
  const delegate = virtualService([ROUTE], NO_HOSTS, 'part');
  const read = (object: KubeObject) => routeObject(object, 'default');

  it('are the rules of roots that name it, with or without its namespace', () => {
    const root = read(virtualService([ROUTE, to('part'), to('other'), to('part', 'default'), to('part', 'far')], {}, 'root'));
    expect(routeObject(delegate, 'default', [root]).delegations).toEqual([
      { root, index: 1, rule: to('part') },
      { root, index: 3, rule: to('part', 'default') },
    ]);
  });

  it('without a namespace a rule means its own root’s', () => {
    const root = read(inNamespace(virtualService([to('part'), to('part', '')], {}, 'root'), 'far'));
    expect(routeObject(delegate, 'default', [root]).delegations).toEqual([]);
    expect(routeObject(inNamespace(delegate, 'far'), 'default', [root]).delegations.map(({ index }) => index)).toEqual([0, 1]);
  });

  it('none are by another delegate, by a root without rules, or to an object that has hosts', () => {
    const nested = read(virtualService([to('part')], NO_HOSTS, 'nested'));
    const empty = read({ ...virtualService([]), spec: { hosts: ['a.test'] } });
    expect(routeObject(delegate, 'default', [nested, empty]).delegations).toEqual([]);
    const root = read(virtualService([to('part')], {}, 'root'));
    expect(routeObject(virtualService([ROUTE], {}, 'part'), 'default', [root]).delegations).toEqual([]);
  });
});

describe('where an object delegates to', () => {
  const root = inNamespace(virtualService([ROUTE, to('part'), to('part', 'far'), to('empty', '')], {}, 'root'), 'near');

  it('are the names in its rules, in its own namespace where they give none', () => {
    expect(delegatesOfRoot(root)).toEqual([
      { name: 'part', namespace: 'near' },
      { name: 'part', namespace: 'far' },
      { name: 'empty', namespace: 'near' },
    ]);
    expect(delegatesOfRoot(root)).toBe(delegatesOfRoot(root));
    expect(delegatesOfRoot(inNamespace(root, undefined))[0]).toEqual({ name: 'part', namespace: 'default' });
  });

  it('is nowhere for a delegate, which Istio does not follow further, and for one without rules', () => {
    expect(delegatesOfRoot(virtualService([to('part')], NO_HOSTS))).toEqual([]);
    expect(delegatesOfRoot({ ...virtualService([]), spec: { hosts: ['a.test'] } })).toEqual([]);
  });

  it.each([
    [{ name: 'part', namespace: 'near' }, true],
    [{ name: 'part', namespace: 'far' }, true],
    [{ name: 'empty', namespace: 'far' }, false],
    [{ name: 'other', namespace: 'near' }, false],
  ])('%j: %s', (target, expected) => {
    expect(delegatesTo(root, target)).toBe(expected);
  });
});
