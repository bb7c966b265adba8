import type { Finding } from '../source/finding.ts';
import { type FieldPath, formatPath } from '../source/locate.ts';
import { httpRouteFindings, type RouteAction } from './http-route-rules.ts';
import { boundGateways, isSubsetOf, MESH_GATEWAY } from './names.ts';
import type { DestinationRuleSpec, GatewaySpec, HTTPRoute, ServiceEntrySpec, TrafficPolicy, VirtualServiceSpec } from './resources.ts';
import { serverTlsFindings } from './server-tls.ts';

/** An HTTP route of `spec.http`: its well-formed fields, and which actions it names, well-formed or not. */
export interface RouteToJudge {
  readonly index: number;
  readonly route: HTTPRoute;
  readonly actions: readonly RouteAction[];
}

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/i;

function invalid(path: FieldPath, message: string, hint: string): Finding {
  return { code: 'PERCH1104', path, message: `${formatPath(path)}: ${message}`, hint };
}

/**
 * Rules over a VirtualService (istio pkg/config/validation/virtualservice.go), whose spec stands at `root`. `routes` have those fields only
 * that have the schema’s shape.
 */
export function virtualServiceFindings(
  spec: Pick<VirtualServiceSpec, 'hosts' | 'gateways'>,
  routes: readonly RouteToJudge[],
  namespace: string,
  root: FieldPath,
): readonly Finding[] {
  const hosts = spec.hosts ?? [];
  const isDelegate = hosts.length === 0;
  const findings: Finding[] = hosts.flatMap((host, index) => hostFindings(host, [...root, 'hosts', index]));
  if (isDelegate && (spec.gateways ?? []).length > 0) {
    findings.push(
      invalid([...root, 'gateways'], 'a VirtualService without hosts is a delegate and names no gateways', 'add hosts, or remove gateways'),
    );
  }
  const gateways = boundGateways(spec.gateways, namespace);
  const anyHost = hosts.indexOf('*');
  if (anyHost >= 0 && gateways.includes(MESH_GATEWAY)) {
    findings.push(
      invalid(
        [...root, 'hosts', anyHost],
        '* cannot be bound to the mesh',
        'name the gateway in gateways, without mesh, or name the hosts',
      ),
    );
  }
  for (const [index, name] of (spec.gateways ?? []).entries()) {
    const parts = name.split('/');
    if (parts.length > 2 || parts[0] === '.' || !parts.every((part) => part.split('.').every((label) => LABEL.test(label)))) {
      findings.push(invalid([...root, 'gateways', index], 'a gateway is NAME or NAMESPACE/NAME', 'correct the name'));
    }
  }
  hosts.forEach((host, index) => {
    const earlier = hosts.slice(0, index).find((other) => isSubsetOf(host, other) || isSubsetOf(other, host));
    if (earlier !== undefined) findings.push(invalid([...root, 'hosts', index], `${host} and ${earlier} overlap`, 'keep one of them'));
  });
  for (const { route, index, actions } of routes) findings.push(...httpRouteFindings(route, actions, [...root, 'http', index], isDelegate));
  return findings;
}

/** Rules over a Gateway (istio pkg/config/validation/validation.go ValidateGateway). */
export function gatewayFindings(spec: GatewaySpec): readonly Finding[] {
  const findings: Finding[] = [];
  spec.servers.forEach((server, index) => {
    const at = ['spec', 'servers', index] as const;
    const earlier = spec.servers.findIndex((other) => other.port.name === server.port.name);
    if (earlier < index)
      findings.push(invalid([...at, 'port', 'name'], `server ${earlier} has the port name ${server.port.name} too`, 'choose another name'));
    if ('targetPort' in server.port)
      findings.push(
        invalid([...at, 'port', 'targetPort'], 'it has no effect in a Gateway', 'remove it; the server listens on port.number'),
      );
    if (server.bind !== undefined && !isAddress(server.bind))
      findings.push(invalid([...at, 'bind'], 'an IP address is wanted', 'correct it, or remove it for both loopbacks'));
    findings.push(...serverTlsFindings(server, at));
    server.hosts.forEach((host, hostIndex) => {
      const name = host.includes('/') ? host.slice(host.indexOf('/') + 1) : host;
      if (name !== '*' && !name.includes('.')) {
        findings.push(invalid([...at, 'hosts', hostIndex], 'a server’s host is a full name, or *', 'write it with its domain'));
      } else findings.push(...hostFindings(name, [...at, 'hosts', hostIndex]));
    });
  });
  return findings;
}

/** Rules over a DestinationRule (ValidateDestinationRule). */
export function destinationRuleFindings(spec: DestinationRuleSpec): readonly Finding[] {
  const findings = [...hostFindings(spec.host, ['spec', 'host']), ...policyFindings(spec.trafficPolicy, ['spec', 'trafficPolicy'])];
  const subsets = spec.subsets ?? [];
  subsets.forEach((subset, index) => {
    const path = ['spec', 'subsets', index, 'name'];
    if (!LABEL.test(subset.name))
      findings.push(invalid(path, 'a subset name is letters, digits and hyphens, at most 63', 'correct the name'));
    if (subsets.findIndex((other) => other.name === subset.name) < index)
      findings.push(invalid(path, `there are two subsets ${subset.name}`, 'keep one of them'));
    findings.push(...policyFindings(subset.trafficPolicy, ['spec', 'subsets', index, 'trafficPolicy']));
  });
  return findings;
}

function policyFindings(policy: TrafficPolicy | undefined, path: FieldPath): readonly Finding[] {
  if (policy === undefined || Object.keys(policy).length > 0) return [];
  return [invalid(path, 'a traffic policy has at least one field', 'add outlierDetection, or remove trafficPolicy')];
}

/** Rules over a ServiceEntry (ValidateServiceEntry). */
export function serviceEntryFindings(spec: ServiceEntrySpec): readonly Finding[] {
  const findings: Finding[] = spec.hosts.flatMap((host, index) => {
    const path = ['spec', 'hosts', index];
    return host === '*' ? [invalid(path, 'a ServiceEntry cannot be about every host', 'name the host')] : hostFindings(host, path);
  });
  if (spec.endpoints !== undefined && spec.endpoints.length > 0 && spec.workloadSelector !== undefined) {
    findings.push(invalid(['spec', 'workloadSelector'], 'it has endpoints and workloadSelector together', 'keep one of them'));
  }
  spec.ports.forEach((port, index) => {
    if (spec.ports.findIndex((other) => other.number === port.number) < index) {
      findings.push(invalid(['spec', 'ports', index, 'number'], `there are two ports ${port.number}`, 'keep one of them'));
    }
    if (spec.ports.findIndex((other) => other.name === port.name) < index) {
      findings.push(invalid(['spec', 'ports', index, 'name'], `there are two ports named ${port.name}`, 'choose another name'));
    }
  });
  (spec.endpoints ?? []).forEach((endpoint, index) => {
    findings.push(...workloadFindings(endpoint, ['spec', 'endpoints', index]));
    for (const name of Object.keys(endpoint.ports ?? {})) {
      if (spec.ports.some((port) => port.name === name)) continue;
      findings.push(
        invalid(
          ['spec', 'endpoints', index, 'ports', name],
          'the entry has no port of this name',
          `use ${spec.ports.map((port) => port.name).join(', ')}`,
        ),
      );
    }
  });
  return findings;
}

/** Rules over a WorkloadEntry, or an endpoint of a ServiceEntry. */
export function workloadFindings(spec: { readonly address: string }, path: FieldPath): readonly Finding[] {
  if (isAddress(spec.address)) return [];
  return [
    {
      code: 'PERCH1301',
      path: [...path, 'address'],
      message: `${formatPath([...path, 'address'])}: an endpoint that is no IP address is not supported yet by the embedded gateway`,
      hint: 'write the address',
    },
  ];
}

function hostFindings(host: string, path: FieldPath): readonly Finding[] {
  if (host === '*' || isAddress(host)) return [];
  const problem = hostProblem(host);
  return problem === undefined ? [] : [invalid(path, problem, 'correct the host; a wildcard stands in the first label only')];
}

function hostProblem(host: string): string | undefined {
  if (host.length > 255) return `${host.slice(0, 20)}… has more than 255 characters`;
  const [first = '', ...rest] = host.split('.');
  if (!(first.startsWith('*') ? first === '*' || LABEL.test(first.slice(1).replace(/^-/, '')) : LABEL.test(first)))
    return `${host} is no host name`;
  if (rest.some((label, index) => !LABEL.test(label) && !(label === '' && index === rest.length - 1))) return `${host} is no host name`;
  const top = rest.at(-1);
  return top !== undefined && /^\d+$/.test(top) ? `${host}: a top level domain is not a number` : undefined;
}

function isAddress(text: string): boolean {
  const parts = text.split('.');
  if (parts.length === 4 && parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) return true;
  return /^[0-9a-f:.]+$/i.test(text) && text.includes('::')
    ? text.split('::').length === 2
    : /^(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}$/i.test(text);
}
