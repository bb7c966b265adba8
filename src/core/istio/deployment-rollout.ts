import type { KubeObject } from './resources.ts';

type Labels = Readonly<Record<string, string>>;

/** A Deployment (apps/v1), as far as it is read. */
export interface Deployment extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly generation?: number };
  readonly spec?: {
    readonly replicas?: number;
    readonly paused?: boolean;
    readonly template?: { readonly metadata?: { readonly labels?: Labels } };
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
    readonly conditions?: readonly { readonly type?: string; readonly reason?: string }[];
  };
}

/** Whether its rollout has exceeded its progress deadline. */
export function isLate({ status }: Pick<Deployment, 'status'>): boolean {
  return status?.conditions?.some(({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded') === true;
}

/** Whether its pods have all these labels. */
export function makesPodsWith({ spec }: Deployment, wanted: Labels): boolean {
  const labels = spec?.template?.metadata?.labels ?? {};
  return Object.entries(wanted).every(([name, value]) => labels[name] === value);
}

/**
 * What is still to be done of a Deployment's rollout, in a sentence; undefined where it is complete: its pods are all of its newest form, and available. As
 * `kubectl rollout status` tells it (k8s.io/kubectl, pkg/polymorphichelpers/rollout_status.go).
 */
export function pendingRollout({ metadata, spec, status = {} }: Deployment): string | undefined {
  const name = `Deployment ${metadata.namespace ?? 'default'}/${metadata.name}`;
  const { replicas: wanted = 1, paused = false } = spec ?? {};
  const { observedGeneration = 0, replicas = 0, updatedReplicas: updated = 0, availableReplicas: available = 0 } = status;
  if (observedGeneration < (metadata.generation ?? 0)) return `${name} was changed just now`;
  const ending = isLate({ status }) ? ': it has exceeded its progress deadline' : paused ? ': it is paused' : '';
  const rollsOut = `${name} is rolled out`;
  if (updated < wanted) return `${rollsOut}, ${updated} of ${wanted} replicas are of its newest form${ending}`;
  if (replicas > updated) return `${rollsOut}, ${replicas - updated} of its former replicas are still to end${ending}`;
  if (available < updated) return `${rollsOut}, ${available} of ${updated} replicas are available${ending}`;
  return undefined;
}
