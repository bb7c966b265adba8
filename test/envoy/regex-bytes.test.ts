import type { Agent } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compileRegex } from '../../src/core/routing/string-matcher.ts';
import { connections, Visitor } from '../harness/visitor.ts';
import { describeWithEnvoy } from '../requirements.ts';
import { type RunningEnvoy, startEnvoy } from './envoy-process.ts';
import { headerRegex, httpListener } from './static-config.ts';

/* What a user's regex makes of bytes beyond ASCII: Envoy's matches them one by one, whatever text they are. */

const REGEXES = [
  ...['caf.', 'caf..', 'caf[^;]', 'caf[^;]+', 'caf.*', '.*caf.*', '(?s)caf.', 'ca(?:f.)?', 'caf.{4}'],
  ...['café', '(?i)CAFÉ', 'caf[é]', 'caf[é]+', 'café{2}', 'café?', 'caf\\x{e9}', 'caf\\x{c3}\\x{a9}', 'caf[\\x80-\\xff]', 'caf[à-ï]*'],
  ...['caf\\w', 'caf\\W', 'caf\\W+', 'caf\\pL', 'caf\\pL+', 'caf\\PL+', 'caf\\pL\\PL', 'caf\\S*', 'caf[[:^ascii:]]'],
];
/** As UTF-8, as Latin-1, and what is neither; a character per byte. */
const VALUES = [
  'cafe',
  'caf\xc3\xa9',
  'CAF\xc3\x89',
  'caf\xe9',
  'caf\xff',
  'caf\xc3',
  'caf\xc3\xa9\xa9',
  'caf\xed\xa0\x80',
  'caf\xf0\x9f\x98\x80',
];

describeWithEnvoy('regexes and bytes beyond ASCII', (executable) => {
  let envoy: RunningEnvoy;
  let agent: Agent;

  beforeAll(async () => {
    agent = connections(4);
    const routes = REGEXES.map((regex, index) => ({
      match: { path: `/${index}`, headers: [headerRegex('x-tested', regex)] },
      direct_response: { status: 204 },
    }));
    envoy = await startEnvoy(executable, { listeners: [httpListener('regexes', routes)], clusters: [] });
  });

  afterAll(async () => {
    agent?.destroy();
    await envoy?.stop();
  });

  test.each(REGEXES.map((regex, index) => ({ regex, index })))('$regex', async ({ regex, index }) => {
    const visitor = new Visitor(agent, envoy.port('regexes'));
    const predicate = compileRegex(regex);
    for (const value of VALUES) {
      const { status } = await visitor.get(`/${index}`, { 'x-tested': value });
      expect([value, predicate(value)]).toEqual([value, status === 204]);
    }
  });
});
