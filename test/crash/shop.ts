import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startVersion } from '../harness/version-server.ts';

/** A step of the release; `holdMs` undefined: manual. */
export interface Step {
  readonly weight: number;
  readonly holdMs: number | undefined;
}

/** How the release comes to its routes. */
export type Form = 'adopt' | 'managed' | 'delegate';

/** What keeps a visitor where they are. */
export type Mode = 'visitor' | 'canaryOnly';

/** Services that outlive the runtime: `shop`, which browsers see, and `reviews` behind it, in two versions. */
export interface Shop {
  readonly dir: string;
  /** The manifests. */
  readonly files: string;
  readonly data: string;
  readonly form: Form;
  readonly mode: Mode;
  /** Of the release, in the files. */
  readonly steps: readonly Step[];
  /** All VirtualServices, by name, and those of them that the release is woven into. */
  readonly routes: readonly string[];
  readonly woven: readonly string[];
  /** The file of the release: without it nothing asks for one. */
  readonly releaseFile: string;
  /** Where the runtime of the moment has its mesh listener: `shop` calls `reviews` there. */
  meshPort: number;
  close(): Promise<void>;
}

/** Starts the services and writes the files: the release is woven into two objects, which must change as one. */
export async function startShop(holdMs: number, form: Form, mode: Mode): Promise<Shop> {
  const steps = [10, 25, 50, 75, 100].map((weight) => ({ weight, holdMs: weight === 50 ? undefined : holdMs }));
  const dir = mkdtempSync(join(tmpdir(), 'perch-kill-'));
  const [files, data] = [join(dir, 'manifests'), join(dir, 'data')];
  const agent = new Agent({ keepAlive: true });
  const reviews = [await startVersion('v1'), await startVersion('v2')];
  const entry = await startVersion('shop', ({ headers: { cookie, baggage } }, response) => {
    const headers = { host: 'reviews', ...(cookie === undefined ? {} : { cookie }), ...(baggage === undefined ? {} : { baggage }) };
    const call = request({ host: '127.0.0.1', port: shop.meshPort, path: '/reviews/0', agent, headers });
    call.on('response', (answer) => {
      response.statusCode = answer.statusCode ?? 500;
      answer.pipe(response);
    });
    call.on('error', (error) => {
      response.statusCode = 500;
      response.end(String(error));
    });
    call.end();
  });
  const shop: Shop = {
    dir,
    files,
    data,
    form,
    mode,
    steps,
    routes: ['shop', 'reviews', ...(form === 'delegate' ? ['reviews-perch'] : [])],
    woven: ['shop', form === 'delegate' ? 'reviews-perch' : 'reviews'],
    releaseFile: join(files, 'release.yaml'),
    meshPort: 0,
    close: async () => {
      agent.destroy();
      await Promise.all([...reviews, entry].map((service) => service.close()));
      rmSync(dir, { recursive: true, force: true });
    },
  };
  mkdirSync(files);
  const [v1 = 0, v2 = 0] = reviews.map(({ port }) => port);
  writeFileSync(join(files, 'services.yaml'), servicesYaml(entry.port, v1, v2));
  writeFileSync(join(files, 'routes.yaml'), SHOP_ROUTES_YAML + REVIEWS_ROUTES_YAML[form]);
  writeFileSync(shop.releaseFile, releaseYaml(form, mode, steps));
  return shop;
}

function servicesYaml(shop: number, v1: number, v2: number): string {
  const entry = (name: string, endpoints: readonly string[]): string => `---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ${name}}
spec:
  hosts: [${name}.default.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 9080, name: http, protocol: HTTP}]
  endpoints:
${endpoints.map((endpoint) => `  - {address: 127.0.0.1, ${endpoint}}`).join('\n')}
`;
  return `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge}
spec:
  servers:
  - port: {number: 8080, name: http, protocol: HTTP}
    hosts: ['*']
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews}
spec:
  host: reviews
  subsets:
  - {name: v1, labels: {version: v1}}
  - {name: v2, labels: {version: v2}}
${entry('shop', [`ports: {http: ${shop}}`])}${entry('reviews', [
  `ports: {http: ${v1}}, labels: {version: v1}`,
  `ports: {http: ${v2}}, labels: {version: v2}`,
])}`;
}

const SHOP_ROUTES_YAML = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: ['*']
  gateways: [edge]
  http:
  - route:
    - destination: {host: shop, port: {number: 9080}}
`;

const reviewsRoutesYaml = (rule: string): string => `---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews}
spec:
  hosts: [reviews]
  http:
  - ${rule}
`;

const V1_RULE = '{route: [{destination: {host: reviews, subset: v1}}]}';

/** What the user has beside the release. */
const REVIEWS_ROUTES_YAML: Readonly<Record<Form, string>> = {
  adopt: reviewsRoutesYaml(V1_RULE),
  managed: '',
  delegate: reviewsRoutesYaml('{delegate: {name: reviews-perch}}'),
};

const ROUTE: Readonly<Record<Form, string>> = {
  adopt: 'adopt: {virtualService: reviews}',
  managed: `managed: {name: reviews, hosts: [reviews], http: [${V1_RULE}]}`,
  delegate: `delegate: {name: reviews-perch, http: [${V1_RULE}]}`,
};

function releaseYaml(form: Form, mode: Mode, steps: readonly Step[]): string {
  return `apiVersion: perch.dev/v1alpha1
kind: CanaryRelease
metadata: {name: reviews}
spec:
  service: {host: reviews, port: 9080}
  stable: {subset: v1}
  canary: {subset: v2}
  route: {${ROUTE[form]}}
  visitorId:
    issueAt: {virtualService: shop}
    propagate: [baggage, cookie]
  affinity: {mode: ${mode}}
  steps:
${steps.map(({ weight, holdMs }) => `  - {weight: ${weight}, hold: ${holdMs === undefined ? 'manual' : `${holdMs}ms`}}`).join('\n')}
`;
}
