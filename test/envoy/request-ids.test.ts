import { Agent } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { edgeFindings } from '../../src/core/evidence/edge-findings.ts';
import { EdgeTally } from '../../src/core/evidence/edge-tally.ts';
import { isVisitorId } from '../../src/core/visitor/bucket.ts';
import { servedRuleNames } from '../../src/core/weave/rule-name.ts';
import { describeWithEnvoy } from '../requirements.ts';
import { type EnvoyForms, startEnvoyForms } from './envoy-forms.ts';
import { ask } from './wire-answer.ts';
import { wovenForm } from './woven-forms.ts';

const FORM = wovenForm('request ids', { route: 'adopt', place: 'edge', at: { cutoff: 0x800, offset: 0 } });
const VISITS = 20;

/** Request ids as proxies before the edge make them, and where they put everyone at any weight. */
const FORMS: readonly (readonly [name: string, id: string, version: string])[] = [
  ['32 hex digits', '3e4666bfd5e54aa7b8ce0b3e41c7568a', 'shop/v1'],
  ['an upper-case UUID', '3E4666BF-D5E5-4AA7-B8CE-0B3E41C7568A', 'shop/v1'],
  ['of a load balancer’s', 'Root=1-67891233-abcdef012345678912345678', 'shop/v1'],
  ['a ULID', '01JDVXN5Z3WQ4S9K7M2T8R6B0C', 'shop/v1'],
  ['a number', '1732838400.123', 'shop/v1'],
  // Its last group begins as a low bucket does: no pattern that Envoy takes can tell 12 digits from 2 and compare them too.
  ['a traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'shop/v2'],
];

describeWithEnvoy('request ids that are no UUIDs, before a real Envoy', (executable) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });

  afterAll(() => agent.destroy());

  /** First visits whose request ids a proxy made; what the observer would make of Envoy's answers to them. */
  async function visits(envoy: EnvoyForms, requestId: string) {
    const tally = new EdgeTally('documents');
    const origins = new Set<string | undefined>();
    for (let index = 0; index < VISITS; index++) {
      const headers = [
        ['host', 'shop.test'],
        ['accept', 'text/html'],
        ['x-request-id', requestId],
      ] as const;
      const { answer, route } = await ask(agent, envoy.port(FORM, 'ingress'), { method: 'GET', path: '/shop', headers, body: '' });
      const [rule] = servedRuleNames(route);
      const kept = answer.seen?.headers['x-request-id'] ?? '';
      expect(answer.cookies.some((line) => line.startsWith(`perch=${kept};`))).toBe(rule?.role === 'new');
      const visitor = rule?.role === 'new' && isVisitorId(kept) ? 'issued' : 'none';
      const drewCanary = rule?.role === 'new' && rule.cohort === 'canary';
      tally.count({ requestId: kept, accept: 'text/html', fetchMode: undefined, fetchSite: undefined }, visitor, drewCanary);
      origins.add(answer.origin);
    }
    return { origins, figures: tally.summary(), codes: edgeFindings('default/shop', tally.summary(), 'documents').map(({ code }) => code) };
  }

  describe('that keeps them (preserve_external_request_id)', () => {
    let envoy: EnvoyForms;
    beforeAll(async () => {
      envoy = await startEnvoyForms(executable, [FORM], { requestId: 'preserve' });
    });
    afterAll(() => envoy?.stop());

    test.each(FORMS)('%s: all are on one version, and that is found', async (_, id, version) => {
      const { origins, figures, codes } = await visits(envoy, id);
      expect([...origins]).toEqual([version]);
      const oddOnCanary = version === 'shop/v2' ? VISITS : 0;
      expect(figures).toEqual({ requests: VISITS, issued: 0, oddRequestIds: VISITS, oddOnCanary, oddRequestId: id, crossSite: 0 });
      expect(codes).toEqual(['PERCH3080']);
    });
  });

  describe('that makes its own, as Istio’s gateways do', () => {
    let envoy: EnvoyForms;
    beforeAll(async () => {
      envoy = await startEnvoyForms(executable, [FORM], { requestId: 'edge' });
    });
    afterAll(() => envoy?.stop());

    test.each(FORMS)('%s: nobody notices', async (_, id) => {
      const { figures, codes } = await visits(envoy, id);
      expect(figures).toEqual({ requests: VISITS, issued: VISITS, oddRequestIds: 0, oddOnCanary: 0, crossSite: 0 });
      expect(codes).toEqual([]);
    });
  });
});
