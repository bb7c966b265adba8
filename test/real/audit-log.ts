import { readFileSync } from 'node:fs';
import type { KubeObject } from '../../src/core/istio/resources.ts';

/** A write of a controller, as the apiserver's audit log has it. */
export interface AuditedWrite {
  /** Which controller: what it calls itself in `User-Agent`, which is what it calls itself in the Lease. */
  readonly by: string;
  /** `leases`, `canaryreleases/status`, `events`. */
  readonly resource: string;
  readonly name: string;
  /** HTTP status of the answer. */
  readonly code: number;
  /** When the request came and when it was answered, by the apiserver's clock, in ms since the epoch. */
  readonly receivedAt: number;
  readonly answeredAt: number;
  /** What was to be written. */
  readonly asked: KubeObject | undefined;
  /** What it was made into; undefined where it was refused. */
  readonly object: KubeObject | undefined;
  /** The revision of etcd at which that was written: one order of all writes. */
  readonly revision: number;
}

/** An Event of audit.k8s.io/v1, as far as it is read. */
interface AuditEvent {
  readonly userAgent?: string;
  readonly objectRef?: { readonly resource?: string; readonly subresource?: string; readonly name?: string };
  readonly responseStatus?: { readonly code?: number };
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
  readonly requestObject?: KubeObject;
  readonly responseObject?: KubeObject & { readonly metadata: { readonly resourceVersion?: string } };
}

/** All writes of `perch controller` in an audit log, those that were refused too, in the order in which they were answered. */
export function auditedWrites(path: string): readonly AuditedWrite[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  // The last line may be about to be written.
  return lines.slice(0, -1).flatMap((line): AuditedWrite[] => {
    const { userAgent = '', objectRef, responseStatus, requestObject, responseObject, ...times } = JSON.parse(line) as AuditEvent;
    const by = /^perch\/\S+ \(controller; (\S+)\)$/.exec(userAgent)?.[1];
    if (by === undefined || objectRef === undefined) return [];
    const code = responseStatus?.code ?? 0;
    const isDone = code >= 200 && code < 300;
    const { resource = '', subresource, name } = objectRef;
    return [
      {
        by,
        resource: subresource === undefined ? resource : `${resource}/${subresource}`,
        name: name ?? responseObject?.metadata.name ?? '',
        code,
        receivedAt: Date.parse(times.requestReceivedTimestamp),
        answeredAt: Date.parse(times.stageTimestamp),
        asked: requestObject,
        object: isDone ? responseObject : undefined,
        revision: isDone ? Number(responseObject?.metadata.resourceVersion) : Number.NaN,
      },
    ];
  });
}
