import { refText } from '../cluster/manifest.ts';
import type { ApplyResult, DeletionResult, ObjectRef, Store } from '../cluster/store.ts';
import { logText } from '../core/diagnostics/log-text.ts';
import type { RuntimeLog } from './runtime-log.ts';

/** More objects than these are counted, not named. */
const MOST_NAMED = 10;

/**
 * The store, with a line in the log's audit for each change that a person or a source asks for: when, who, what, and what came of it.
 * An apply that changes nothing is none, nor is what could not be written: that is said as an error to whoever asked. What the controller
 * does by itself is told elsewhere. `now` is in ms since the epoch.
 */
export function auditedStore(store: Store, log: Pick<RuntimeLog, 'audit'>, now: () => number): Store {
  const audited = async <T>(who: string, what: string, work: Promise<T>, outcome: (result: T) => string | undefined): Promise<T> => {
    const result = await work;
    const end = outcome(result);
    if (end !== undefined) log.audit(`${new Date(now()).toISOString()} ${logText(who)} ${what}: ${end}`);
    return result;
  };
  return {
    ...store,
    apply: (source, objects, options = {}) =>
      audited(whoOf(source, options.by), 'apply', store.apply(source, objects, options), applyOutcome),
    requestDeletion: (ref, options = {}) => {
      const what = `${options.restoreBase === true ? 'delete --restore-base' : 'delete'} ${nameOf(ref)}`;
      return audited(whoOf('api', options.by), what, store.requestDeletion(ref, options), deletionOutcome);
    },
    postRequest: (ref, request) => {
      const what = `${request.action} ${nameOf(ref)} (request ${logText(request.id)})`;
      return audited(request.by, what, store.postRequest(ref, request), (isTaken) => (isTaken ? 'accepted' : 'refused'));
    },
  };
}

/** `ann@laptop (api)`; the source alone where nobody is named. */
function whoOf(source: string, by: string | undefined): string {
  return by === undefined ? source : `${by} (${source})`;
}

function nameOf(ref: ObjectRef): string {
  return logText(refText(ref));
}

function applyOutcome(result: ApplyResult): string | undefined {
  if (result.ok) {
    const changes = result.outcomes.filter((outcome) => outcome.result !== 'unchanged');
    return changes.length === 0 ? undefined : listed(changes.map((outcome) => `${nameOf(outcome.ref)} ${outcome.result}`));
  }
  const errors = result.diagnostics.filter(({ severity }) => severity === 'error');
  return `refused, ${listed(errors.map(({ code, object, path }) => [code, object, path].filter(Boolean).join(' ')).map(logText))}`;
}

function deletionOutcome(result: DeletionResult): string {
  switch (result.kind) {
    case 'accepted':
      return 'accepted';
    case 'absent':
      return 'there is none';
    case 'refused':
      return `refused, ${listed(result.diagnostics.map(({ code }) => code))}`;
  }
}

function listed(texts: readonly string[]): string {
  const more = texts.length - MOST_NAMED;
  return [...texts.slice(0, MOST_NAMED), ...(more > 0 ? [`and ${more} more`] : [])].join(', ');
}
