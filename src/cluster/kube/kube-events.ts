import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { plainText } from '../../core/diagnostics/log-text.ts';
import { type KubeClient, KubeError } from './kube-client.ts';
import type { ApiObject } from './kube-object.ts';

/** Who writes Events, and who hears where one could not be written. */
interface EventWriter {
  readonly client: Pick<KubeClient, 'request'>;
  /** Names this process. */
  readonly instance: string;
  readonly onError: (message: string, error?: unknown) => void;
}

/** Something that happened to an object; `at` is ISO 8601 in UTC with milliseconds. */
export interface KubeEvent {
  readonly at: string;
  readonly type: 'Normal' | 'Warning';
  /** One word in UpperCamelCase. */
  readonly reason: string;
  readonly message: string;
  /** What tells it from others of its reason about the same object; its time where absent. */
  readonly key?: string;
  /** Who asked for it. */
  readonly by?: string;
}

/** Who reports what happens to releases. */
export const REPORTING_CONTROLLER = 'perch.dev/controller';
/** Annotation of an Event: who asked for what it tells of. */
export const EVENT_BY_ANNOTATION = 'perch.dev/by';

/** How often an Event is sent to an apiserver that has too much to do, each time as late as it asks. */
const TRIES = 5;
/** Longest part of an object's name in that of an Event, which has at most 253 characters. */
const NAME = 200;
/** Longest note of an Event, and name of who reports it (events.k8s.io/v1). */
const NOTE = 1024;
const INSTANCE = 128;

/** Writes Events about an object. They are for people: where one cannot be written, the rest goes on. */
export async function writeEvents(
  { client, instance, onError }: EventWriter,
  { apiVersion, kind, metadata }: ApiObject,
  events: readonly KubeEvent[],
): Promise<void> {
  const { name, namespace = 'default', uid } = metadata;
  for (const { at, type, reason, message, key = at, by } of events) {
    // By what it tells: told again, by this process or the next, it is there already.
    const hash = createHash('sha256')
      .update(JSON.stringify([kind, namespace, name, uid, reason, key]))
      .digest('hex');
    const body = {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: {
        name: `${name.slice(0, NAME)}.${hash.slice(0, 16)}`,
        namespace,
        ...(by === undefined ? {} : { annotations: { [EVENT_BY_ANNOTATION]: by } }),
      },
      eventTime: at.replace('Z', '000Z'),
      reportingController: REPORTING_CONTROLLER,
      reportingInstance: instance.slice(0, INSTANCE),
      action: reason,
      reason,
      type,
      note: noteOf(message),
      regarding: { apiVersion, kind, namespace, name, ...(uid === undefined ? {} : { uid }) },
    };
    try {
      await send(client, `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/events`, body);
    } catch (error) {
      onError(`an Event of ${kind} ${namespace}/${name} could not be written`, error);
    }
  }
}

/** The API counts bytes. */
function noteOf(message: string): string {
  const plain = plainText(message);
  if (Buffer.byteLength(plain) <= NOTE) return plain;
  return `${Buffer.from(plain)
    .subarray(0, NOTE - 4)
    .toString('utf8')
    .replace(/\uFFFD+$/, '')}…`;
}

async function send(client: EventWriter['client'], path: string, body: object): Promise<void> {
  for (let left = TRIES - 1; ; left--) {
    try {
      await client.request(path, { method: 'POST', body });
      return;
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      if (error.status === 409 && error.reason === 'AlreadyExists') return;
      if (error.retryAfterMs === undefined || left === 0) throw error;
      await sleep(error.retryAfterMs, undefined, { ref: false });
    }
  }
}
