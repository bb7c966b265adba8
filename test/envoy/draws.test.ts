import type { Agent } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUCKETS, bucketOf } from '../../src/core/visitor/bucket.ts';
import { seededRandom, seededUuid } from '../harness/seeded-random.ts';
import { connections, inParallel, type Visit, Visitor } from '../harness/visitor.ts';
import { describeWithEnvoy } from '../requirements.ts';
import { seenIn } from './echo-origin.ts';
import { type EnvoyForms, startEnvoyForms } from './envoy-forms.ts';
import { type ServedForm, serveForm } from './served-form.ts';
import { type WovenForm, wovenForm } from './woven-forms.ts';

/*
 * What nobody can foretell, because the proxy draws: the id of a new visitor, and in mode canaryOnly the version. In every form of route the
 * answer has to be of one piece: the cookie, the version that answered and the cohort that later hops are told belong together; and the
 * shares are those of the weight. Envoy draws without a seed, so shares are held to 5 standard deviations.
 */

const ROUTES = ['adopt', 'managed', 'delegate'] as const;
const AT = { cutoff: 0x19a, offset: 3 } as const;
const VISITORS = 600;
const DRAWS = 1000;
const CANARY_ONLY = { affinity: { mode: 'canaryOnly' } };

const BY_VISITOR = ROUTES.flatMap((route) =>
  (['edge', 'inside'] as const).map((place) => wovenForm(`${route} ${place}`, { route, place, at: AT })),
);
const WEIGHTS = [10, 20, 50, 100];
const BY_DRAW = [
  ...WEIGHTS.map((percent) => ({ percent, route: 'adopt' as const })),
  ...ROUTES.slice(1).map((route) => ({ percent: 30, route })),
].flatMap(({ percent, route }) =>
  (['edge', 'inside'] as const).map((place) => ({
    percent,
    form: wovenForm(`${route} ${place}, ${percent} %`, { route, place, at: { percent }, spec: CANARY_ONLY }),
  })),
);
const FINISHED = ROUTES.flatMap((route) =>
  (['edge', 'inside'] as const).map((place) =>
    wovenForm(`${route} ${place}, finished`, { route, place, at: { settled: { subset: 'v2' } }, spec: CANARY_ONLY }),
  ),
);

/** A form at work: the gateway that visitors come in by, and the mesh in which the page behind it asks the shop. */
interface Site {
  readonly form: WovenForm;
  visitor(): Visitor;
  inside(headers: Readonly<Record<string, string>>): Promise<Visit>;
}

/** The version of the shop that answered. */
function versionOf(visit: Visit): string {
  return String(visit.headers['x-version']).replace('shop/', '');
}

/** What the origin saw of a header, its lines joined. */
function seen(visit: Visit, name: string): string {
  const { headers } = seenIn(String(visit.headers['x-seen']));
  return headers.filter((_, at) => at % 2 === 1 && headers[at - 1]?.toLowerCase() === name).join(',');
}

/** The Set-Cookie lines of one cookie. */
function setLines(visit: Visit, name: string): readonly string[] {
  return visit.headers['set-cookie']?.filter((line) => line.startsWith(`${name}=`)) ?? [];
}

function isAtEdge({ options }: WovenForm): boolean {
  return options.place === 'edge';
}

/** What visitors ask for. */
function pageOf(form: WovenForm): string {
  return isAtEdge(form) ? '/shop' : '/page';
}

/** The version that a visitor gets, whose answers at the gateway are these: there, or inside by what the gateway told, and by the cookie. */
async function versionsFor({ form, inside }: Site, answers: readonly Visit[], cookie: string): Promise<readonly string[]> {
  if (isAtEdge(form)) return answers.map(versionOf);
  const told = answers.map((answer) => inside({ baggage: seen(answer, 'baggage') }));
  return (await Promise.all([...told, ...(cookie === '' ? [] : [inside({ cookie: `theme=dark; ${cookie}` })])])).map(versionOf);
}

/** A new visitor, and the same at a return; whether the canary was theirs. */
async function visitTwice(site: Site): Promise<boolean> {
  const { form } = site;
  const visitor = site.visitor();
  const first = await visitor.visit(pageOf(form));
  const id = visitor.cookies.get('perch') ?? '';
  expect(setLines(first, 'perch')).toHaveLength(1);
  expect(first.headers['cache-control']).toMatch(/(?:^|,)private$/);
  expect(seen(first, 'x-request-id')).toBe(id);
  const second = await visitor.visit(pageOf(form));
  expect(setLines(second, 'perch')).toEqual([]);

  const canary = (bucketOf(id, AT.offset) ?? BUCKETS) < AT.cutoff;
  const version = canary ? 'v2' : 'v1';
  const versions = await versionsFor(site, [first, second], `perch=${id}`);
  expect([id, ...versions]).toEqual([id, ...versions.map(() => version)]);
  return canary;
}

/** The Set-Cookie of canaryOnly at a form's place: the article's at the edge, for all paths where a page draws for a service inside. */
function canaryLine(form: WovenForm, maxAge: number): string {
  const { name = '', value = '' } = form.canaryCookie ?? {};
  return `${name}=${value}; Max-Age=${maxAge}${isAtEdge(form) ? '' : '; Path=/'}`;
}

/** A first visit in mode canaryOnly; the visitor, if they drew the canary. */
async function draw(site: Site): Promise<Visitor | undefined> {
  const { form } = site;
  const { name = '', value = '', maxAge = 0 } = form.canaryCookie ?? {};
  const visitor = site.visitor();
  const answer = await visitor.visit(pageOf(form), { cookie: `theme=dark; x${name}=${value}` });
  const canary = setLines(answer, name).length > 0;
  expect(setLines(answer, name)).toEqual(canary ? [canaryLine(form, maxAge)] : []);
  expect(await versionsFor(site, [answer], '')).toEqual([canary ? 'v2' : 'v1']);
  return canary ? visitor : undefined;
}

/** Five returns of one who drew the canary. */
async function returnOften(site: Site, visitor: Visitor, setAnew: boolean): Promise<void> {
  const { form } = site;
  const { name = '', value = '', maxAge = 0 } = form.canaryCookie ?? {};
  for (let again = 0; again < 5; again++) {
    const answer = await visitor.visit(pageOf(form));
    expect(setLines(answer, name)).toEqual(setAnew ? [canaryLine(form, maxAge)] : []);
    const versions = await versionsFor(site, [answer], `${name}=${value}`);
    expect(versions).toEqual(versions.map(() => 'v2'));
  }
}

/** Whether a count of `n` is within 5 standard deviations of its share. */
function expectShare(count: number, n: number, share: number): void {
  expect(Math.abs(count / n - share)).toBeLessThanOrEqual(5 * Math.sqrt((share * (1 - share)) / n));
}

describeWithEnvoy('where the proxy draws', (executable) => {
  let envoy: EnvoyForms;
  let agent: Agent;

  beforeAll(async () => {
    agent = connections(16);
    envoy = await startEnvoyForms(executable, [...BY_VISITOR, ...BY_DRAW.map(({ form }) => form), ...FINISHED], { requestId: 'edge' });
  });

  afterAll(async () => {
    agent?.destroy();
    await envoy?.stop();
  });

  /** Runs `check` with the form in Envoy, or in Perch’s gateway. */
  async function withSite(proxy: 'Envoy' | 'Perch', form: WovenForm, check: (site: Site) => Promise<void>): Promise<void> {
    let perch: ServedForm | undefined;
    if (proxy === 'Perch') perch = await serveForm(form, envoy.portOf, { uuid: seededUuid(7), random: seededRandom(7) });
    const port = (kind: 'ingress' | 'mesh') => perch?.port(kind) ?? envoy.port(form, kind);
    try {
      await check({
        form,
        visitor: () => new Visitor(agent, port('ingress')),
        inside: (headers) => new Visitor(agent, port('mesh')).get('/reviews/0', { host: 'shop:8080', ...headers }),
      });
    } finally {
      await perch?.close();
    }
  }

  describe.each(['Envoy', 'Perch'] as const)('%s', (proxy) => {
    test.each(BY_VISITOR)(`the id that it issues is the version that answers: $name, ${VISITORS} visitors`, (form) =>
      withSite(proxy, form, async (site) => {
        const canaries = await inParallel(Array.from({ length: VISITORS }), 16, () => visitTwice(site));
        expectShare(canaries.filter(Boolean).length, VISITORS, AT.cutoff / BUCKETS);
        // A page that forwards nothing keeps everyone on stable.
        if (!isAtEdge(form)) expect(versionOf(await site.inside({}))).toBe('v1');
      }),
    );

    test.each(BY_DRAW)(`who draws the canary gets the cookie and stays: $form.name, ${DRAWS} draws`, ({ form, percent }) =>
      withSite(proxy, form, async (site) => {
        const drawn = await inParallel(Array.from({ length: DRAWS }), 16, () => draw(site));
        const holders = drawn.filter((visitor) => visitor !== undefined);
        expectShare(holders.length, DRAWS, percent / 100);
        // At the end everyone is sent to the canary by one rule, which sets the cookie anew, as the article's does.
        const setAnew = percent === 100 && isAtEdge(form);
        await inParallel(holders.slice(0, 100), 16, (visitor) => returnOften(site, visitor, setAnew));
      }),
    );

    test.each(FINISHED)('the cookie expires with the attributes it was set with, for those who hold it: $name', (form) =>
      withSite(proxy, form, async ({ visitor }) => {
        const { name = '', value = '' } = form.canaryCookie ?? {};
        const holder = visitor();
        holder.cookies.set(name, value);
        const first = await holder.visit(pageOf(form));
        expect(setLines(first, name)).toEqual([canaryLine(form, -1)]);
        expect(holder.cookies.has(name)).toBe(false);
        const second = await holder.visit(pageOf(form));
        expect(setLines(second, name)).toEqual([]);
        if (isAtEdge(form)) expect([versionOf(first), versionOf(second)]).toEqual(['v2', 'v2']);
      }),
    );
  });
});
