import type { KubeObject } from '../../src/core/istio/resources.ts';
import { validateRoutingObject } from '../../src/core/istio/validate.ts';
import { type CompiledRouting, compileRouting } from '../../src/core/routing/compile.ts';
import { normalizePath } from '../../src/core/routing/path.ts';
import type { RequestHead, RouteTable, Selection } from '../../src/core/routing/selection.ts';
import { parseManifests } from '../../src/core/source/manifests.ts';

/** The objects of YAML texts as the runtime reads them: validated, in the order written. Throws where anything in them is an error. */
export function manifestsOf(...texts: readonly string[]): readonly KubeObject[] {
  const read = texts.map((text, index) => parseManifests(text, `${index + 1}.yaml`));
  const objects = read.flatMap((each) => each.objects.map(({ object }) => object));
  const findings = [...read.flatMap((each) => each.diagnostics), ...objects.flatMap((object) => validateRoutingObject(object))];
  const errors = findings.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new Error(errors.map(({ path, message }) => `${path}: ${message}`).join('\n'));
  return objects;
}

/** Compiles YAML as the runtime does. */
export function compileYaml(...texts: readonly string[]): CompiledRouting {
  return compileRouting(manifestsOf(...texts));
}

/** A request, such as `GET http://shop:8080/cart?x=1`; a header with a list of values was sent on several lines. */
export interface TestRequest {
  readonly line: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** In [0, 1); default 0. */
  readonly random?: number;
  /** `id` of the TLS server that the connection was made with. */
  readonly tlsServer?: string | undefined;
}

/** The head of a request as the gateway hands it to the table. */
export function headOf({ line, headers = {}, tlsServer }: TestRequest): RequestHead {
  const [, method = '', scheme = '', authority = '', target = ''] = /^(\S+) (https?):\/\/([^/?]*)(.*)$/.exec(line) ?? [];
  const path = normalizePath(target === '' ? '/' : target);
  if (path === undefined || (scheme !== 'http' && scheme !== 'https')) throw new Error(`no request: ${line}`);
  const lines = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), typeof value === 'string' ? [value] : value]));
  return { method, scheme, authority, path, tlsServer, lines: (name) => lines.get(name) ?? [] };
}

/** What the table decides at the listener that is named: `ingress 8080`, `mesh 9080`, `ingress 8080 127.0.0.2`. */
export function selectAt(table: RouteTable, listener: string, request: TestRequest | string): Selection {
  const [kind, port, bind] = listener.split(' ');
  const asked = typeof request === 'string' ? { line: request } : request;
  return table.select(kind === 'mesh' ? 'mesh' : 'ingress', Number(port), bind, headOf(asked), asked.random ?? 0);
}

/** A selection in a few words: `web:80`, `reviews:9080/v2`, `web:80 (no cluster)`, `301 http://a/`, `200 body`, `none`, `blocked`. */
export function summaryOf(selection: Selection): string {
  switch (selection.kind) {
    case 'forward': {
      const { host, port, subset } = selection.destination;
      const name = host.replace('.default.svc.cluster.local', '');
      return `${name}:${port}${subset === undefined ? '' : `/${subset}`}${selection.cluster === undefined ? ' (no cluster)' : ''}`;
    }
    case 'redirect':
      return `${selection.status} ${selection.location}`;
    case 'direct':
      return `${selection.status} ${typeof selection.body === 'string' ? selection.body : [...selection.body].join(' ')}`;
    default:
      return selection.kind;
  }
}

/** A ServiceEntry with one HTTP port and one endpoint for each version; endpoints count up from the port `first`. */
export function service(name: string, port: number, versions: readonly string[] = ['v1'], first = 20000): string {
  const host = name.includes('.') ? name : `${name}.default.svc.cluster.local`;
  const endpoints = versions.map(
    (version, index) => `{address: 127.0.0.1, ports: {http: ${first + index}}, labels: {version: ${version}}}`,
  );
  return `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ${name}}
spec: {hosts: [${host}], resolution: STATIC, ports: [{number: ${port}, name: http, protocol: HTTP}], endpoints: [${endpoints.join(', ')}]}
`;
}

/** A DestinationRule with one subset for each version. */
export function subsets(host: string, versions: readonly string[], namespace = 'default'): string {
  const list = versions.map((version) => `{name: ${version}, labels: {version: ${version}}}`);
  return `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: ${host}, namespace: ${namespace}}
spec: {host: ${host}, subsets: [${list.join(', ')}]}
`;
}

/** A Gateway `edge` with one HTTP server on port 8080. */
export function gateway(hosts: readonly string[] = ['*'], name = 'edge', port = 8080, extra = ''): string {
  return `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: ${name}}
spec: {servers: [{port: {number: ${port}, name: http, protocol: HTTP}, hosts: [${hosts.map((host) => JSON.stringify(host)).join(', ')}]${extra}}]}
`;
}

/** A VirtualService; `spec` is the YAML below `spec`, in flow style or indented by two. */
export function virtualService(name: string, spec: string, namespace = 'default'): string {
  return `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ${name}, namespace: ${namespace}}
spec:
${spec}
`;
}
