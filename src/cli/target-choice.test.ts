import { expect, test } from 'vitest';
import { chooseTarget, type TargetOptions } from './target-choice.ts';

const choose = (given: TargetOptions, environment: Readonly<Record<string, string>> = {}, isPlugin = false) =>
  chooseTarget(given, { environment, ...(isPlugin ? { isPlugin } : {}) });

test.each<[string, TargetOptions, Readonly<Record<string, string>>, boolean, object]>([
  ['nothing', {}, {}, false, { kind: 'embedded', server: 'http://127.0.0.1:7070' }],
  ['a server set to nothing', {}, { PERCH_SERVER: '' }, false, { kind: 'embedded', server: 'http://127.0.0.1:7070' }],
  ['a server of the environment', {}, { PERCH_SERVER: 'http://x' }, false, { kind: 'embedded', server: 'http://x' }],
  ['KUBECONFIG, which many machines have', {}, { KUBECONFIG: '/k' }, false, { kind: 'embedded', server: 'http://127.0.0.1:7070' }],
  ['a context', { context: 'a' }, { PERCH_SERVER: 'http://x' }, false, { kind: 'cluster', cluster: { context: 'a' } }],
  ['a kubeconfig', { kubeconfig: '/k' }, {}, false, { kind: 'cluster', cluster: { kubeconfig: '/k' }, named: { kubeconfig: '/k' } }],
  ['a context of the environment', {}, { PERCH_CONTEXT: 'a' }, false, { kind: 'cluster', cluster: { context: 'a' }, named: {} }],
  [
    'a context, and a kubeconfig of the environment',
    { context: 'a' },
    { PERCH_KUBECONFIG: '/k' },
    false,
    { kind: 'cluster', cluster: { context: 'a', kubeconfig: '/k' }, named: { context: 'a' } },
  ],
  [
    'a server, before all of the environment',
    { server: 'http://x' },
    { PERCH_CONTEXT: 'a' },
    false,
    { kind: 'embedded', server: 'http://x' },
  ],
  ['kubectl', {}, { PERCH_SERVER: 'http://x' }, true, { kind: 'cluster', cluster: {}, named: {} }],
  ['kubectl, and a server', { server: 'http://x' }, {}, true, { kind: 'embedded', server: 'http://x' }],
])('%s chooses the target', (_, given, environment, isPlugin, expected) => {
  expect(choose(given, environment, isPlugin)).toMatchObject(expected);
});

test.each<[TargetOptions, Readonly<Record<string, string>>, RegExp]>([
  [{ server: 'http://x', context: 'a' }, {}, /^--server names an embedded runtime, --kubeconfig and --context a cluster/],
  [{}, { PERCH_SERVER: 'http://x', PERCH_CONTEXT: 'a' }, /^PERCH_SERVER names an embedded runtime, PERCH_CONTEXT a cluster/],
])('%j with %j names two targets', (given, environment, message) => {
  expect(() => choose(given, environment)).toThrow(message);
});
