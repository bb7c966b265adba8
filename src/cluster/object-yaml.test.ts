import { expect, test } from 'vitest';
import { parse } from 'yaml';
import type { KubeObject } from '../core/istio/resources.ts';
import { objectYaml, yamlDocuments } from './object-yaml.ts';

const object: KubeObject = {
  spec: { hosts: ['on', 'yes', 'y', '12:30', '0x1f', '1e3', '~', '2020-01-01', 'plain'], http: [] },
  kind: 'VirtualService',
  metadata: { labels: { app: 'no' }, name: 'web', uid: '1', creationTimestamp: '2026-01-01T00:00:00Z' } as KubeObject['metadata'],
  apiVersion: 'networking.istio.io/v1',
};

test('an object is written in one order, without what a cluster added', async () => {
  expect((await objectYaml(object)).split('\n').filter((line) => /^ {0,2}[a-z]/i.test(line))).toEqual([
    'apiVersion: networking.istio.io/v1',
    'kind: VirtualService',
    'metadata:',
    '  name: web',
    '  namespace: default',
    '  labels:',
    'spec:',
    '  hosts:',
    '  http: []',
  ]);
});

test.each(['1.1', '1.2'] as const)('texts stay texts for readers of YAML %s, as kubectl is one of 1.1', async (version) => {
  const read = parse(await objectYaml(object), { version });
  expect(read.spec).toEqual(object.spec);
  expect(read.metadata.labels).toEqual({ app: 'no' });
});

test('several are one stream, none is nothing', async () => {
  const one = await objectYaml(object);
  expect(await yamlDocuments([object, object])).toBe(`${one}\n---\n${one}\n`);
  expect(await yamlDocuments([])).toBe('');
});
