import type { HTTPRoute } from '../istio/resources.ts';
import type { TrailLine } from '../view/route-trial-view.ts';
import type { RouteOrigin } from './compile-route.ts';
import { conditionText, failureText } from './condition-text.ts';
import type { Explanation } from './explanation.ts';
import type { RequestHead, Selection } from './selection.ts';

/** How an explanation is told. */
interface Telling {
  /** Whose requests a rule takes, where its name says so; undefined of any other rule. */
  readonly takenBy?: (rule: HTTPRoute) => string | undefined;
  /** Whether the table knows all endpoints. */
  readonly hidesEndpoints?: boolean;
}

/** An explanation in lines for people, from the listener to the destinations. */
export function explanationLines(explanation: Explanation, request: RequestHead, telling: Telling = {}): TrailLine[] {
  const { isListening, host, passed, omitted, taken, conditions, outcomes } = explanation;
  const ends = outcomes.map(({ share, selection }) => endLine(share, selection, outcomes.length > 1, telling));
  if (!isListening) return [{ kind: 'listener', matched: false, text: 'nothing listens there' }, ...ends];
  if (host === undefined) return [{ kind: 'host', matched: false, text: `no virtual host has ${request.authority}` }, ...ends];
  const tried = passed.map(({ origin, failed }): TrailLine => {
    const why = failed === undefined ? 'does not match' : failureText(failed, request);
    return { ...ruleOf(origin), matched: false, text: withTaker(origin.rule, why, telling) };
  });
  const left = omitted === 1 ? '1 further rule' : `${omitted} further rules`;
  const more: TrailLine[] = omitted === 0 ? [] : [{ kind: 'rule', matched: false, text: `${left} before the next do not match` }];
  const holds = conditions.length === 0 ? 'takes everything' : conditions.map(conditionText).join('; ');
  const own: TrailLine[] = taken === undefined ? [] : [{ ...ruleOf(taken), matched: true, text: withTaker(taken.rule, holds, telling) }];
  return [{ kind: 'host', matched: true, text: host }, ...tried, ...more, ...own, ...ends];
}

function ruleOf({ object, place, block, rule }: RouteOrigin): Pick<TrailLine, 'kind' | 'object' | 'rule'> {
  if (object === undefined) {
    const isRedirect = rule.redirect !== undefined;
    return {
      kind: 'rule',
      rule: isRedirect ? 'httpsRedirect of the Gateway' : 'straight to the service: no VirtualService is about it here',
    };
  }
  const name = rule.name ?? `rule ${place + 1}`;
  return { kind: 'rule', object, rule: (rule.match?.length ?? 0) > 1 ? `${name}, match ${block + 1}` : name };
}

function withTaker(rule: HTTPRoute, text: string, { takenBy }: Telling): string {
  const taker = takenBy?.(rule);
  return taker === undefined ? text : `${taker}: ${text}`;
}

function endLine(share: number, selection: Selection, isDrawn: boolean, telling: Telling): TrailLine {
  const drawn = isDrawn ? `${Number((share * 100).toFixed(2))} %: ` : '';
  const { matched, text } = outcomeOf(selection, telling);
  return { kind: 'destination', matched, text: `${drawn}${text}` };
}

function outcomeOf(selection: Selection, { hidesEndpoints }: Telling): Pick<TrailLine, 'matched' | 'text'> {
  switch (selection.kind) {
    case 'none':
      return { matched: false, text: 'answered 404: no route (NR)' };
    case 'blocked':
      return { matched: false, text: 'answered 502: nothing declares this host (BlackHoleCluster)' };
    case 'redirect':
      return { matched: true, text: `redirect ${selection.status} to ${selection.location}` };
    case 'direct':
      return { matched: true, text: `answered ${selection.status} by the rule itself` };
    case 'forward': {
      const {
        destination: { host, subset, port },
        cluster,
      } = selection;
      const where = `${host}, port ${port}${subset === undefined ? '' : `, subset ${subset}`}`;
      if (hidesEndpoints === true) return { matched: true, text: where };
      if (cluster === undefined) return { matched: false, text: `${where}: not declared, answered 503 (NC)` };
      const { length } = cluster.endpoints;
      if (length === 0) return { matched: false, text: `${where}: no endpoint, answered 503 (UH)` };
      return { matched: true, text: `${where}: ${length === 1 ? '1 endpoint' : `${length} endpoints`}` };
    }
  }
}
