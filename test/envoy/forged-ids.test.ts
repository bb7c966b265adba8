import { Agent } from 'node:http';
import { connect } from 'node:http2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeWithEnvoy } from '../requirements.ts';
import { type EchoOrigin, startEchoOrigin } from './echo-origin.ts';
import { type EnvoyForms, startEnvoyForms } from './envoy-forms.ts';
import { FORGED_IDS, type ForgedId, ON_CANARY, ON_STABLE, SEVERAL_LINES } from './forged-ids.ts';
import { oddRequests } from './odd-requests.ts';
import { type ServedForm, serveForm } from './served-form.ts';
import { originNames } from './shop-objects.ts';
import { ask } from './wire-answer.ts';
import { wovenForm } from './woven-forms.ts';

/** Half of the visitors. */
const FORM = wovenForm('forged ids', { route: 'adopt', place: 'edge', at: { cutoff: 0x800, offset: 0 } });
const RANDOM = 500;

/** What came of a request: the version, and the visitor ids that were issued. */
interface Outcome {
  readonly status: number;
  readonly version: string | undefined;
  readonly issued: readonly string[];
}

type Ask = (lines: ForgedId['lines'], requestId: string) => Promise<Outcome>;

const isIssuing = (line: string): boolean => line.startsWith('perch=');

function requestOf(lines: ForgedId['lines'], requestId: string) {
  const cookies = lines.map((pairs) => ['cookie', Buffer.from(pairs.join('; '), 'latin1').toString('latin1')] as const);
  const headers = [['host', 'shop.test'], ['accept', 'text/html'], ['x-request-id', requestId], ...cookies] as const;
  return { method: 'GET', path: '/shop', headers, body: '' };
}

/** What arithmetic says: a new visitor is who the request id makes them, and that id is all that is ever issued. */
function expected(taken: ForgedId['taken'], requestId: string): Outcome {
  const version = taken === 'canary' || (taken === 'new' && requestId === ON_CANARY) ? 'shop/v2' : 'shop/v1';
  const issued = taken === 'new' ? [`perch=${requestId}; Max-Age=34560000; Path=/; HttpOnly; SameSite=Lax`] : [];
  return { status: 200, version, issued };
}

async function expectHarmless(cases: readonly ForgedId[], asked: Ask): Promise<void> {
  for (const { name, lines, taken } of cases) {
    // Whatever the cookie says, the request's own id may be on either version.
    for (const requestId of [ON_CANARY, ON_STABLE]) {
      expect([name, await asked(lines, requestId)]).toEqual([name, expected(taken, requestId)]);
    }
  }
}

const TOO_LARGE = [[`perch=${'a'.repeat(200_000)}`]];

describe('ids that clients make up, at Perch’s gateway', () => {
  let perch: ServedForm;
  const agent = new Agent({ maxSockets: 1 });
  const origins = new Map<string, EchoOrigin>();

  beforeAll(async () => {
    for (const name of originNames()) origins.set(name, await startEchoOrigin(name));
    perch = await serveForm(FORM, (name) => origins.get(name)?.port ?? 0);
  });

  afterAll(async () => {
    agent.destroy();
    await perch?.close();
    await Promise.all([...origins.values()].map((origin) => origin.close()));
  });

  const asked: Ask = async (lines, requestId) => {
    const { answer } = await perch.ask('ingress', requestOf(lines, requestId));
    return { status: answer.status, version: answer.origin, issued: answer.cookies.filter(isIssuing) };
  };

  test('are taken for what they are, and never come back', () => expectHarmless([...FORGED_IDS, ...SEVERAL_LINES], asked));

  test('are refused where they are too large', async () => {
    // Not by the form's own asking: a request without a head is told to nobody.
    const { answer } = await ask(agent, perch.port('ingress'), requestOf(TOO_LARGE, ON_STABLE));
    expect(answer).toMatchObject({ status: 431, cookies: [] });
  });

  test(`at random, ${RANDOM} of them: never a 5xx, never anything issued but the request’s own id`, async () => {
    const facts = {
      paths: ['/shop'],
      hosts: ['shop.test'],
      cutoff: 0x800,
      cookie: 'perch',
      decisiveCookies: [],
      baggageKey: FORM.baggageKey,
      draws: false,
    };
    let issued = 0;
    for (const request of oddRequests(facts, RANDOM, 20261129)) {
      const { answer } = await perch.ask('ingress', request);
      expect(answer.status, JSON.stringify(request)).toBeLessThan(500);
      const own = request.headers.find(([name]) => name === 'x-request-id')?.[1];
      for (const line of answer.cookies.filter(isIssuing)) {
        expect(line).toBe(`perch=${own}; Max-Age=34560000; Path=/; HttpOnly; SameSite=Lax`);
        issued++;
      }
    }
    expect(issued).toBeGreaterThan(0);
  });
});

describeWithEnvoy('ids that clients make up, at a real Envoy', (executable) => {
  let envoy: EnvoyForms;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });

  beforeAll(async () => {
    envoy = await startEnvoyForms(executable, [FORM], { requestId: 'preserve' });
  });

  afterAll(async () => {
    agent.destroy();
    await envoy?.stop();
  });

  const asked: Ask = async (lines, requestId) => {
    const { answer } = await ask(agent, envoy.port(FORM, 'ingress'), requestOf(lines, requestId));
    return { status: answer.status, version: answer.origin, issued: answer.cookies.filter(isIssuing) };
  };

  test('are taken for what they are, and never come back', () => expectHarmless([...FORGED_IDS, ...SEVERAL_LINES], asked));

  test('are refused where they are too large', async () => {
    expect(await asked(TOO_LARGE, ON_STABLE)).toMatchObject({ status: 431, issued: [] });
  });

  test('over HTTP/2, each cookie in a field of its own, as browsers send them: the same', async () => {
    const session = connect(`http://127.0.0.1:${envoy.port(FORM, 'ingress')}`);
    const crumbs: Ask = (lines, requestId) =>
      new Promise((resolve, reject) => {
        const stream = session.request({
          ':path': '/shop',
          ':authority': 'shop.test',
          accept: 'text/html',
          'x-request-id': requestId,
          cookie: [...lines.flat()],
        });
        stream.once('error', reject).once('response', (headers) => {
          const version = headers['x-version'];
          resolve({
            status: headers[':status'] ?? 0,
            version: typeof version === 'string' ? version : undefined,
            issued: (headers['set-cookie'] ?? []).filter(isIssuing),
          });
          stream.resume();
        });
        stream.end();
      });
    try {
      await expectHarmless([...FORGED_IDS, ...SEVERAL_LINES], crumbs);
    } finally {
      session.close();
    }
  });
});
