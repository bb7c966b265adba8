import { randomUUID } from 'node:crypto';
import type { ExplainedTable, Explanation } from '../../core/routing/explanation.ts';
import { explanationLines } from '../../core/routing/explanation-lines.ts';
import type { ListenerSpec } from '../../core/routing/selection.ts';
import { serverForName } from '../../core/routing/tls-server.ts';
import { outcomeSentence, trialOutcome } from '../../core/routing/trial-outcome.ts';
import type { RouteTrialView, TrailLine } from '../../core/view/route-trial-view.ts';
import { isVisitorId } from '../../core/visitor/bucket.ts';
import { servedRuleNames } from '../../core/weave/rule-name.ts';
import { takenText } from '../../core/weave/taken-text.ts';
import { readRequest } from '../../gateway/incoming-request.ts';
import { DEFAULT_LIMITS } from '../../gateway/limits.ts';
import type { ListeningAddress } from '../../gateway/listening-address.ts';
import { type AskedTrial, type IdCarrier, type TrialRequest, trialRequest } from './trial-request.ts';

/** Rules that a trail tells of one by one, at most. */
const MOST_RULES = 200;

/** The routes that a request is tried on. */
export interface TriedRoutes {
  readonly table: ExplainedTable;
  /** Where a gateway has opened the listeners of the table; empty where none is asked. */
  readonly addresses: readonly ListeningAddress[];
  /** Whether the table does not know all endpoints. */
  readonly hidesEndpoints: boolean;
  /** What the table leaves out or takes for granted, a sentence each. */
  readonly notes: readonly string[];
}

/** What a trial asks beside the request. */
export interface TrialScene {
  /** How the visitors of each release carry their id. */
  readonly carriers: readonly IdCarrier[];
  /** The routes; `host` is one that the mesh is asked for, else empty. */
  routes(host: string, port: number): Promise<TriedRoutes>;
}

/** What a trial found, or what is wrong with the request that was asked for, in a clause. */
export type TrialAnswer = { readonly ok: true; readonly view: RouteTrialView } | { readonly ok: false; readonly detail: string };

/**
 * Which host, rule and destination would take a request, and why each rule before did not. The gateway's own head checks read it, and the table that serves
 * requests decides; nothing is sent, and nothing changes.
 */
export async function tryRequest(asked: AskedTrial, scene: TrialScene): Promise<TrialAnswer> {
  if (asked.visitorId !== undefined && !isVisitorId(asked.visitorId)) return { ok: false, detail: 'visitorId: this is no visitor id' };
  const request = trialRequest(asked, scene.carriers);
  if (request === undefined) return { ok: false, detail: 'url: http://HOST[:PORT]/PATH, or https, without a fragment' };
  const routes = await scene.routes(asked.listener === 'mesh' ? request.host : '', request.port);
  return { ok: true, view: { ...trialOf(routes, asked, request), notes: [...routes.notes] } };
}

type Tried = Omit<RouteTrialView, 'notes'>;

function trialOf({ table, addresses, hidesEndpoints }: TriedRoutes, asked: AskedTrial, request: TrialRequest): Tried {
  const listener = listenerOf(table, addresses, asked.listener, request.port);
  const { failure, tlsServer } = connected(table, listener, asked.listener, request);
  if (failure !== undefined) return without({ kind: 'none', status: 0 }, { kind: 'listener', matched: false, text: failure });
  const downstream = { scheme: request.scheme, tlsServer, remoteAddress: '127.0.0.1' };
  const head = readRequest({ ...request, downstream }, asked.listener, DEFAULT_LIMITS, randomUUID);
  if ('detail' in head) {
    const text = head.detail === '' ? 'the gateway answers this itself' : head.detail;
    return without({ kind: 'refused', status: head.status }, { kind: 'request', matched: false, text });
  }
  const explanation = table.explain(asked.listener, listener?.port ?? request.port, listener?.bind, head, MOST_RULES);
  const trail = [...firstLines(asked, head, listener), ...explanationLines(explanation, head, { takenBy, hidesEndpoints })];
  const outcome = trialOutcome(explanation, hidesEndpoints);
  return { trail, outcome, sentence: outcomeSentence(outcome, ruleText(explanation)) };
}

/** What is said of a request that no rule sees. */
function without(outcome: RouteTrialView['outcome'], line: TrailLine): Tried {
  return { trail: [line], outcome, sentence: outcomeSentence(outcome, undefined) };
}

/** Whether a client gets a connection at all, and by which server with TLS, as the gateway chooses it by name (SNI). */
function connected(
  { listeners }: ExplainedTable,
  listener: ListenerSpec | undefined,
  kind: AskedTrial['listener'],
  { port, scheme, host }: TrialRequest,
): { readonly failure?: string; readonly tlsServer: string | undefined } {
  const failed = (failure: string) => ({ failure, tlsServer: undefined });
  if (listener === undefined && kind === 'ingress') {
    const ports = listeners.filter((each) => each.kind === 'ingress').map((each) => each.port);
    return failed(`nothing listens on port ${port}${ports.length === 0 ? ': no Gateway is there' : `: Gateways have ${ports.join(', ')}`}`);
  }
  if (listener?.tls === undefined) return scheme === 'https' ? failed(`port ${port} speaks plain HTTP`) : { tlsServer: undefined };
  if (scheme === 'http') return failed(`port ${port} speaks TLS: use https`);
  // Names only: addresses are not asked for (RFC 6066 section 3).
  const server = serverForName(listener.tls, /^[\d.]+$|^\[/.test(host) ? undefined : host);
  return server === undefined ? failed(`no server of port ${port} has ${host}: the connection is refused`) : { tlsServer: server.id };
}

/** The listener at a port: where it really is, else as it is declared. */
function listenerOf(
  { listeners }: ExplainedTable,
  addresses: readonly ListeningAddress[],
  kind: AskedTrial['listener'],
  port: number,
): ListenerSpec | undefined {
  const at = addresses.find((each) => each.kind === kind && each.actualPort === port)?.port ?? port;
  return listeners.find((each) => each.kind === kind && each.port === at);
}

/** What is known of a request before its host is looked at. */
function firstLines(
  { listener, visitorId, headers }: AskedTrial,
  { requestId }: { readonly requestId: string },
  at: ListenerSpec | undefined,
): TrailLine[] {
  const where =
    at === undefined
      ? []
      : [`${listener === 'ingress' ? 'a Gateway' : 'the mesh'}, port ${at.port}${at.bind === undefined ? '' : ` at ${at.bind}`}`];
  const isNew = listener === 'ingress' && visitorId === undefined;
  // The mesh keeps one that a request brings.
  const isDrawn = listener === 'mesh' && !headers.some(([name]) => name.toLowerCase() === 'x-request-id');
  const why = isNew ? ': it becomes the id of a visitor who has none' : ', as the request brings none';
  const drawn = `x-request-id ${requestId}, drawn for this trial${why}`;
  return [
    ...(isNew || isDrawn ? [{ kind: 'request' as const, matched: true, text: drawn }] : []),
    ...where.map((text) => ({ kind: 'listener' as const, matched: true, text })),
  ];
}

/** Whose requests a woven rule takes, and of which release. */
function takenBy(rule: Parameters<typeof takenText>[1]): string | undefined {
  const names = servedRuleNames(rule.name);
  const releases = names.map(({ namespace, release }) => `${namespace}/${release}`);
  return names.length === 0 ? undefined : `${takenText(names, rule)} (${releases.join(', ')})`;
}

function ruleText({ taken }: Explanation): string | undefined {
  if (taken?.object === undefined) return undefined;
  const name = takenBy(taken.rule) ?? taken.rule.name;
  return `${name === undefined ? `rule ${taken.place + 1}` : `rule “${name}”`} of VirtualService ${taken.object}`;
}
