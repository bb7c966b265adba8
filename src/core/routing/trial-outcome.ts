import type { RouteTrialView } from '../view/route-trial-view.ts';
import type { Explanation } from './explanation.ts';
import type { Selection } from './selection.ts';

type Outcome = RouteTrialView['outcome'];
type Forward = Extract<Selection, { readonly kind: 'forward' }>;

/** What becomes of a request, as an explanation has it; endpoints are left out where the table does not know them. */
export function trialOutcome({ outcomes }: Explanation, hidesEndpoints = false): Outcome {
  const [first] = outcomes;
  const selection = first?.selection ?? { kind: 'none' };
  switch (selection.kind) {
    case 'none':
      return { kind: 'none', status: 404 };
    case 'blocked':
      return { kind: 'blocked', status: 502 };
    case 'redirect':
      return { kind: 'redirect', status: selection.status, location: selection.location };
    case 'direct':
      return { kind: 'direct', status: selection.status };
    case 'forward': {
      const forwards = outcomes.flatMap(({ share, selection: each }) => (each.kind === 'forward' ? [{ share, each }] : []));
      const isUnanswered = !hidesEndpoints && forwards.every(({ each: { cluster } }) => (cluster?.endpoints.length ?? 0) === 0);
      const { path, authority } = selection;
      return {
        kind: 'forward',
        destinations: forwards.map(({ share, each }) => destinationOf(share, each, hidesEndpoints)),
        ...{ path, authority },
        ...(isUnanswered && { status: 503 }),
      };
    }
  }
}

function destinationOf(share: number, { destination, cluster }: Forward, hidesEndpoints: boolean) {
  const { host, subset, port } = destination;
  return {
    percent: Number((share * 100).toFixed(2)),
    host,
    ...(subset !== undefined && { subset }),
    port,
    ...(!hidesEndpoints && { endpoints: cluster?.endpoints.length ?? 0 }),
  };
}

/** An outcome in a sentence; `by` says which rule decides, where one does. */
export function outcomeSentence(outcome: Outcome, by: string | undefined): string {
  const rule = by === undefined ? '' : `, by ${by}`;
  switch (outcome.kind) {
    case 'none':
      return outcome.status === 0 ? 'Nobody answers.' : 'Answered 404: no rule takes it.';
    case 'blocked':
      return 'Answered 502: nothing in the mesh declares this host.';
    case 'refused':
      return `Refused with ${outcome.status}: the gateway does not route it.`;
    case 'redirect':
      return `Redirected to ${outcome.location} with ${outcome.status}${rule}.`;
    case 'direct':
      return `Answered ${outcome.status}${rule}.`;
    case 'forward': {
      const { destinations, status } = outcome;
      const names = destinations.map(({ host, subset, port }) =>
        subset === undefined ? `${host}:${port}` : `${host}:${port}, subset ${subset}`,
      );
      const where =
        names.length === 1
          ? `Goes to ${names[0]}`
          : `Drawn: ${destinations.map(({ percent }, index) => `${percent} % to ${names[index]}`).join('; ')}`;
      return `${where}${rule}${status === undefined ? '' : `; answered ${status}, since no endpoint is there`}.`;
    }
  }
}
