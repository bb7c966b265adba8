import type { KubeObject } from '../../core/istio/resources.ts';
import { KIND as RELEASE } from '../../core/release/canary-release.ts';
import type { EventReason, RecordedEvent } from '../../core/release/release-event.ts';
import { EVENT_BY_ANNOTATION, REPORTING_CONTROLLER } from './kube-events.ts';

/** An Event of events.k8s.io/v1, as far as it is read. */
interface ApiEvent extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly resourceVersion?: string };
  readonly eventTime?: string;
  readonly reportingController?: string;
  readonly reason?: string;
  readonly note?: string;
  readonly type?: string;
}

/** Lists objects at a path, with a query. */
type List = (path: string, query: Readonly<Record<string, string>>) => Promise<readonly KubeObject[]>;

/** What happened to a release, as far as the cluster remembers (an hour, unless its apiserver is told otherwise): newest first, also of one that was deleted. */
export async function releaseEvents(list: List, namespace: string, name: string): Promise<readonly RecordedEvent[]> {
  const path = `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/events`;
  const found = await list(path, { fieldSelector: `regarding.kind=${RELEASE},regarding.name=${name}` });
  const events = (found as readonly ApiEvent[]).filter(({ reportingController }) => reportingController === REPORTING_CONTROLLER);
  const oldestFirst = events.toSorted((left, right) => timeOf(left) - timeOf(right) || versionOf(left) - versionOf(right));
  return oldestFirst.map(recorded).toReversed();
}

function recorded({ metadata, eventTime = '', type, reason = '', note = '' }: ApiEvent, index: number): RecordedEvent {
  const by = metadata.annotations?.[EVENT_BY_ANNOTATION];
  return {
    id: index,
    at: eventTime,
    type: type === 'Warning' ? 'Warning' : 'Normal',
    // Only Perch writes Events by this name.
    reason: reason as EventReason,
    message: note,
    ...(by === undefined ? {} : { by }),
  };
}

function timeOf({ eventTime }: ApiEvent): number {
  return Date.parse(eventTime ?? '') || 0;
}

function versionOf({ metadata }: ApiEvent): number {
  return Number(metadata.resourceVersion ?? 0);
}
