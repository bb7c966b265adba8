import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { suggest } from '../diagnostics/suggest.ts';
import type { KubeObject, VirtualService } from '../istio/resources.ts';
import type { UnknownDestination } from './compile-route.ts';
import type { DelegateProblem } from './delegates.ts';
import type { RivalServer } from './ingress-hosts.ts';
import { fullName } from './route-objects.ts';
import type { ServiceRegistry } from './services.ts';

/** Warnings about objects that are valid each, but do not fit together. Each is kept once, however many listeners it concerns. */
export class RoutingFindings {
  readonly #found = new Map<string, Diagnostic>();

  all(): readonly Diagnostic[] {
    return [...this.#found.values()];
  }

  unknownDestinations(object: VirtualService, unknown: readonly UnknownDestination[], registry: ServiceRegistry): void {
    for (const each of unknown) this.#unknownDestination(object, each, registry);
  }

  #unknownDestination(object: VirtualService, { destination, port }: UnknownDestination, registry: ServiceRegistry): void {
    const { host, subset } = destination;
    const service = registry.find(host);
    if (service === undefined) {
      const meant = suggest(
        host,
        registry.services.map((each) => each.host),
      );
      const hint =
        meant === undefined ? 'declare it with a ServiceEntry' : `did you mean ${meant}? Otherwise declare it with a ServiceEntry`;
      this.#add('PERCH1130', object, `no ServiceEntry declares the host ${host}: requests to it are answered 503`, hint);
    } else if (!service.ports.has(port)) {
      const ports = [...service.ports.keys()].join(', ');
      this.#add('PERCH1130', object, `${host} has no port ${port}: requests to it are answered 503`, `its ports: ${ports}`);
    } else {
      const message = `no DestinationRule defines the subset ${subset} of ${host}: requests to it are answered 503`;
      this.#add('PERCH1130', object, message, 'add the subset to a DestinationRule of that host');
    }
  }

  unknownGateway(object: VirtualService, index: number, name: string, known: ReadonlySet<string>): void {
    const meant = suggest(name, known);
    const hint = meant === undefined ? 'create the Gateway, or correct the name' : `did you mean ${meant}?`;
    this.#add('PERCH1131', object, `there is no Gateway ${name}: through it nobody reaches these routes`, hint, `spec.gateways[${index}]`);
  }

  shadowed(object: VirtualService, host: string, by: VirtualService): void {
    const message = `VirtualService ${fullName(by)} is older and routes ${host} in the mesh: these rules are not used for it`;
    this.#add('PERCH1132', object, message, 'put all rules of a host into one VirtualService', 'spec.hosts');
  }

  delegate({ root, rule, reason, delegate, dropped }: DelegateProblem): void {
    const path = `spec.http[${rule}].delegate`;
    if (reason === 'missing') {
      const message = `there is no VirtualService ${delegate} without hosts to delegate to: the rule is not used`;
      this.#add('PERCH1133', root, message, 'create it, or correct the name', path);
    } else {
      const message = `rule ${dropped} of the delegate ${delegate} asks for what this rule excludes: it is not used`;
      this.#add(
        'PERCH1133',
        root,
        message,
        'a delegate can only narrow its root: the same exact value, or one below the prefix; never two regexes',
        path,
      );
    }
  }

  rivalServer({ placed, by, host }: RivalServer): void {
    const { port } = placed.server;
    const older = `the older server ${by.server.port.name} of Gateway ${by.gatewayName}`;
    const message =
      host === undefined
        ? `server ${port.name} is not served: ${older} has port ${port.number}, and only one of them has TLS`
        : `server ${port.name} is not served: ${older} has the host ${host} at port ${port.number}`;
    this.#add('PERCH1135', placed.gateway, message, 'choose another port or another host, or remove one of them', 'spec.servers');
  }

  hostInSeveralNamespaces(host: string, namespace: string, ignored: readonly string[]): void {
    const message = `${host} is declared by ServiceEntries of several namespaces; those of ${namespace} count, those of ${ignored.join(', ')} do not`;
    const key = JSON.stringify(['PERCH1134', host]);
    this.#found.set(key, { code: 'PERCH1134', severity: 'warning', message, hint: 'declare a host in one namespace' });
  }

  #add(code: Diagnostic['code'], object: KubeObject, message: string, hint: string, path?: string): void {
    const name = `${object.kind} ${fullName(object)}`;
    const key = JSON.stringify([code, name, path, message]);
    if (!this.#found.has(key)) this.#found.set(key, { code, severity: 'warning', message, object: name, ...(path && { path }), hint });
  }
}
