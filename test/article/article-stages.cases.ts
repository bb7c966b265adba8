import type { Agent } from 'node:http';
import { expect, test } from 'vitest';
import { inParallel, type Visit, Visitor } from '../harness/visitor.ts';

/** The article's five files somewhere: stages 1 to 3 are served, the others are applied. */
export interface ArticleSite {
  readonly agent: Agent;
  /** Where productpage calls its services: of the mesh. */
  readonly meshPort: number;
  /** Where browsers come in. */
  readonly ingressPort: number;
  /** Applies one of the article's files, given `edit`ed or as it is, and resolves once it is served. */
  apply(file: '4-widen.yaml' | '5-finish.yaml', edit?: (text: string) => string): Promise<void>;
}

const COOKIE = 'reviews-cookie=REVIRES-V2';
const GIVEN = `${COOKIE}; Max-Age=21600`;
const TAKEN = `${COOKIE}; Max-Age=-1`;

const setCookies = ({ headers }: Visit): readonly string[] => headers['set-cookie'] ?? [];

/** Calls of `reviews` inside the mesh, as productpage makes them; `cookie`: what its caller carries. */
export async function callReviews({ agent, meshPort }: ArticleSite, count: number, cookie?: string): Promise<readonly Visit[]> {
  const headers = { host: 'reviews', ...(cookie === undefined ? {} : { cookie }) };
  const answers = await inParallel(Array.from({ length: count }), 16, () => new Visitor(agent, meshPort).get('/reviews/0', headers));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  return answers;
}

/** That v2 answers with this share, within 5 standard deviations of the binomial distribution. */
export function expectShare(answers: readonly Visit[], share: number): void {
  const found = answers.filter(({ body }) => body === 'v2').length / answers.length;
  const sd = Math.sqrt((share * (1 - share)) / answers.length);
  expect(Math.abs(found - share), `${found} on v2, wanted ${share}`).toBeLessThan(5 * sd);
  expect(new Set(answers.map(({ body }) => body))).toEqual(new Set(['v1', 'v2']));
}

/** The cookie comes with every answer of v2, exactly as the file has it, and with none of v1. */
function expectCookieOnV2(answers: readonly Visit[]): void {
  for (const answer of answers) expect(setCookies(answer)).toEqual(answer.body === 'v2' ? [GIVEN] : []);
}

async function expectNothingAtIngress({ agent, ingressPort }: ArticleSite): Promise<void> {
  const visitor = new Visitor(agent, ingressPort);
  for (const headers of [{}, { host: 'reviews' }, { host: 'reviews', cookie: COOKIE }]) {
    const answer = await visitor.visit('/reviews/0', headers);
    expect([answer.status, answer.body, setCookies(answer)]).toEqual([404, '', []]);
  }
}

/** What the article's third stage does, wherever it is served. */
export function thirdStageCases(site: () => ArticleSite): void {
  test('stage 3: nine of ten calls go to v1; v2 answers the others and gives its cookie', async () => {
    const answers = await callReviews(site(), 3000);
    expectShare(answers, 0.1);
    expectCookieOnV2(answers);
  });

  test('stage 3: the cookie leads to v2 for good, and is not given again', async () => {
    for (const cookie of [COOKIE, `session=1; ${COOKIE}; theme=dark`]) {
      const answers = await callReviews(site(), 200, cookie);
      expect(answers.filter(({ body }) => body === 'v2')).toHaveLength(200);
      expect(answers.flatMap(setCookies)).toEqual([]);
    }
  });

  test('stage 3: whoever has no cookie is drawn anew with each call, until v2 keeps them', async () => {
    const visitors = Array.from({ length: 50 }, () => new Visitor(site().agent, site().meshPort));
    const seen = await inParallel(visitors, 16, async (visitor) => {
      const bodies: string[] = [];
      for (let call = 0; call < 40; call++) bodies.push((await visitor.get('/reviews/0', { host: 'reviews' })).body);
      return bodies.join('');
    });
    for (const bodies of seen) expect(bodies).toMatch(/^(v1)*(v2)*$/);
    // 1 - 0.9^40 = 98.5 % of them: the canary of 10 % that reaches nearly everyone.
    expect(seen.filter((bodies) => bodies.endsWith('v2')).length).toBeGreaterThan(40);
  });

  test('every name of the service means the same, another service is not there', async () => {
    const visitor = new Visitor(site().agent, site().meshPort);
    for (const host of ['reviews', 'reviews:9080', 'reviews.default', 'reviews.default.svc', 'reviews.default.svc.cluster.local:9080']) {
      expect((await visitor.get('/reviews/0', { host, cookie: COOKIE })).body).toBe('v2');
    }
    expect((await visitor.get('/', { host: 'ratings' })).status).toBe(502);
  });

  test('at the ingress there is nothing: the VirtualService names no gateways', () => expectNothingAtIngress(site()));
}

/** What its last two stages do. */
export function lastStagesCases(site: () => ArticleSite): void {
  test.each([20, 40, 60, 80])('stage 4, edited as its comment says: %i of 100 calls go to v2', async (weight) => {
    await site().apply('4-widen.yaml', (text) => {
      const edited = text.replace('weight: 0 ', `weight: ${100 - weight} `).replace('weight: 100 ', `weight: ${weight} `);
      expect(edited).not.toBe(text);
      return edited;
    });
    const answers = await callReviews(site(), 2000);
    expectShare(answers, weight / 100);
    expectCookieOnV2(answers);
  });

  test('stage 4: everyone is on v2 and is given the cookie, also who has it', async () => {
    await site().apply('4-widen.yaml');
    for (const answer of [...(await callReviews(site(), 500)), ...(await callReviews(site(), 100, COOKIE))]) {
      expect([answer.body, setCookies(answer)]).toEqual(['v2', [GIVEN]]);
    }
    await expectNothingAtIngress(site());
  });

  test('stage 5: everyone is on v2; the cookie is taken from those who have it', async () => {
    await site().apply('5-finish.yaml');
    for (const answer of await callReviews(site(), 500)) expect([answer.body, setCookies(answer)]).toEqual(['v2', []]);
    for (const answer of await callReviews(site(), 100, COOKIE)) expect([answer.body, setCookies(answer)]).toEqual(['v2', [TAKEN]]);
    const visitor = new Visitor(site().agent, site().meshPort);
    visitor.cookies.set('reviews-cookie', 'REVIRES-V2');
    await visitor.get('/reviews/0', { host: 'reviews' });
    expect([...visitor.cookies]).toEqual([]);
    await expectNothingAtIngress(site());
  });
}
