import { Agent } from 'node:http';
import { hasErrors } from '../../src/core/diagnostics/diagnostic.ts';
import type { RequestEvent } from '../../src/core/evidence/request-event.ts';
import { validateRoutingObject } from '../../src/core/istio/validate.ts';
import { compileRouting } from '../../src/core/routing/compile.ts';
import { type GatewayOptions, startGateway } from '../../src/gateway/gateway.ts';
import { DRAW_HEADER, type OddRequest } from './odd-requests.ts';
import { EDGE_PORT, SERVICE_PORT, serviceObjects } from './shop-objects.ts';
import { ask, type TracedAnswer } from './wire-answer.ts';
import type { WovenForm } from './woven-forms.ts';

/** A woven form in Perch's own gateway. */
export interface ServedForm {
  port(kind: 'ingress' | 'mesh'): number;
  /** One request after the other: the gateway draws the id that each carries, since at an ingress it takes none from a client, and by its `DRAW_HEADER`. */
  ask(kind: 'ingress' | 'mesh', request: OddRequest): Promise<TracedAnswer>;
  close(): Promise<void>;
}

/**
 * Serves a form on free ports, its origins at `portOf`. With `options.uuid` ids are drawn by that instead.
 * @throws Error where an object of the form is not valid.
 */
export async function serveForm(form: WovenForm, portOf: (origin: string) => number, options: GatewayOptions = {}): Promise<ServedForm> {
  const objects = [...serviceObjects(portOf), ...form.objects];
  const { table, diagnostics } = compileRouting(objects);
  const findings = [...objects.flatMap((object) => validateRoutingObject(object)), ...diagnostics];
  if (hasErrors(findings)) throw new Error(JSON.stringify(findings));

  const events: RequestEvent[] = [];
  let drawn = '';
  let random = 0;
  const total = totalWeight(form);
  const map = new Map([EDGE_PORT, SERVICE_PORT].map((port) => [port, 0]));
  const gateway = await startGateway({ map, uuid: () => drawn, random: () => random, observe: (event) => events.push(event), ...options });
  await gateway.update(table);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const port: ServedForm['port'] = (kind) => {
    const found = gateway.addresses().find((address) => address.kind === kind && address.address === '127.0.0.1');
    if (found === undefined) throw new Error(`${form.name} has no ${kind}`);
    return found.actualPort;
  };
  return {
    port,
    ask: async (kind, request) => {
      const ids = request.headers.filter(([name]) => name === 'x-request-id').map(([, value]) => value);
      drawn = ids.join(',');
      const draw = Number(request.headers.find(([name]) => name === DRAW_HEADER)?.[1] ?? 0);
      // As Envoy does it: the number modulo the sum of the weights falls into the interval of one of them.
      random = ((draw % total) + 0.5) / total;
      const { answer } = await ask(agent, port(kind), request);
      // The event may come after the answer's last byte.
      while (events.length === 0) await new Promise((resolve) => setImmediate(resolve));
      return { answer, route: events.pop()?.rule };
    },
    close: async () => {
      agent.destroy();
      await gateway.close(0);
    },
  };
}

/** What the weights of the form's rules that draw add up to, the same for all of them. */
function totalWeight({ objects }: WovenForm): number {
  const rules = objects.flatMap((object) => (object.kind === 'VirtualService' ? (object.spec.http ?? []) : []));
  const totals = rules.map(({ route = [] }) => route.reduce((sum, { weight = 0 }) => sum + weight, 0));
  return Math.max(1, ...totals);
}
