import { Agent } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeWithEnvoy } from '../requirements.ts';
import { type EchoOrigin, startEchoOrigin } from './echo-origin.ts';
import { type RunningEnvoy, startEnvoy } from './envoy-process.ts';
import { gatewayVirtualHosts, meshVirtualHosts } from './istio-hosts.ts';
import { oddRequests } from './odd-requests.ts';
import { type ServedForm, serveForm } from './served-form.ts';
import { EDGE_PORT, envoyClusters, originNames, SERVICE_PORT, serviceObjects } from './shop-objects.ts';
import { hostsListener } from './static-config.ts';
import { ask, differences } from './wire-answer.ts';
import { type AskedListener, adoptedAtEdge, adoptedInside, type WovenForm } from './woven-forms.ts';

/*
 * A release in every form of route, served by Perch's gateway and by a real Envoy: the same answer to every one of thousands of requests,
 * ordinary and odd, over real sockets: the same rule, the same origin, the same headers to the origin and to the client.
 * The oracle has one weakness: Envoy's configuration is written by our own translation of the VirtualServices (istio-*.ts, by
 * what istiod's source says, apart from src/core/routing), not by istiod. A misreading of Istio that both share goes unseen here.
 */

/** Where each form is asked about everything. */
const MANY = 5000;
/** Where the same form stands elsewhere. */
const SOME = 2000;

const TENTH = { cutoff: 0x19a, offset: 0 } as const;
const NEXT = { host: 'shop-next', port: SERVICE_PORT };

const CASES: readonly { readonly form: WovenForm; readonly count: number }[] = [
  { count: MANY, form: adoptedAtEdge('adopted at the edge, 10 %', TENTH) },
  {
    count: SOME,
    form: adoptedAtEdge('adopted at the edge, half, any request issues', { cutoff: 0x800, offset: 3 }, { visitorId: { issueOn: 'all' } }),
  },
  {
    count: SOME,
    form: adoptedAtEdge(
      'adopted at the edge, one bucket, the longest cookie name',
      { cutoff: 1, offset: 6 },
      { visitorId: { cookie: { name: 'Visitor-id_123' } } },
    ),
  },
  {
    count: SOME,
    form: adoptedAtEdge(
      'adopted at the edge, all but one, to another host',
      { cutoff: 0xfff, offset: 9, canary: NEXT },
      { cache: 'private' },
    ),
  },
  { count: SOME, form: adoptedAtEdge('adopted at the edge, nobody', { cutoff: 0, offset: 0 }) },
  { count: SOME, form: adoptedAtEdge('adopted at the edge, everybody', { cutoff: 4096, offset: 0 }) },
  { count: SOME, form: adoptedAtEdge('adopted at the edge, settled', { cutoff: undefined, offset: 0 }) },
  { count: MANY, form: adoptedInside('adopted inside, 10 %', TENTH, {}) },
  {
    count: SOME,
    form: adoptedInside(
      'adopted inside, half, by request id too',
      { cutoff: 0x800, offset: 9 },
      { propagate: ['baggage', 'cookie', 'requestId'] },
    ),
  },
  { count: SOME, form: adoptedInside('adopted inside, by cookie alone', { cutoff: 0x800, offset: 3 }, { propagate: ['cookie'] }) },
  { count: SOME, form: adoptedInside('adopted inside, everybody', { cutoff: 4096, offset: 0, canary: NEXT }, {}) },
  { count: SOME, form: adoptedInside('adopted inside, settled', { cutoff: undefined, offset: 0 }, {}) },
];

describeWithEnvoy('Perch’s gateway and Envoy give the same answer', (executable) => {
  let origins: Map<string, EchoOrigin>;
  let envoy: RunningEnvoy;
  const portOf = (origin: string): number => origins.get(origin)?.port ?? 0;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });

  beforeAll(async () => {
    origins = new Map(await Promise.all(originNames().map(async (name) => [name, await startEchoOrigin(name)] as const)));
    const listeners = CASES.flatMap(({ form: { name, objects, asked } }) =>
      asked.map(({ kind }) => {
        const all = [...serviceObjects(portOf), ...objects];
        const hosts = kind === 'ingress' ? gatewayVirtualHosts(all, EDGE_PORT) : meshVirtualHosts(all, SERVICE_PORT);
        return hostsListener(`${name} ${kind}`, hosts, { requestId: 'preserve', showRoute: true, sidecar: kind === 'mesh' });
      }),
    );
    envoy = await startEnvoy(executable, { listeners, clusters: envoyClusters(portOf) });
  });

  afterAll(async () => {
    agent.destroy();
    await envoy?.stop();
    await Promise.all([...(origins?.values() ?? [])].map((origin) => origin.close()));
  });

  /** Asks both, and gives the requests whose answers differ and the rules that Envoy took. */
  async function compare(form: WovenForm, asked: AskedListener, count: number, perch: ServedForm) {
    const port = envoy.port(`${form.name} ${asked.kind}`);
    const taken = new Set<string | undefined>();
    const differing: object[] = [];
    for (const request of oddRequests({ ...form, ...asked }, count, 20261122)) {
      const [theirs, ours] = await Promise.all([ask(agent, port, request), perch.ask(asked.kind, request)]);
      taken.add(theirs.route);
      const found = differences(theirs, ours);
      if (found.length > 0) differing.push({ request: JSON.stringify(request), found });
    }
    return { taken, differing };
  }

  describe.each(CASES)('$form.name', ({ form, count }) => {
    let perch: ServedForm;

    beforeAll(async () => {
      perch = await serveForm(form, portOf);
    });

    afterAll(() => perch?.close());

    test.each(form.asked)(`${count} requests at the $kind`, async (asked) => {
      const { taken, differing } = await compare(form, asked, count, perch);
      expect(differing.slice(0, 20), `${differing.length} answers differ`).toEqual([]);
      // Every rule was taken by some request, so that none agrees for want of being asked.
      expect([...new Set(asked.rules)].filter((rule) => !taken.has(rule))).toEqual([]);
    });
  });

  test('the comparison is sharp: one bucket more is noticed', async () => {
    const [{ form }] = CASES as [(typeof CASES)[0]];
    const perch = await serveForm(adoptedAtEdge('one bucket more', { cutoff: 0x19b, offset: 0 }), portOf);
    try {
      const [asked] = form.asked as [AskedListener];
      const { differing } = await compare(form, asked, SOME, perch);
      expect(differing.length).toBeGreaterThan(0);
      expect(differing.length).toBeLessThan(SOME / 5);
    } finally {
      await perch.close();
    }
  });
});
