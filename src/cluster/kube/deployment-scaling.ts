import { plainText } from '../../core/diagnostics/log-text.ts';
import type { ScaleOrder } from '../../core/release/observed.ts';
import type { ScaleOutcome, Scaling } from '../scaling.ts';
import type { Deployments } from './deployments.ts';
import { type KubeClient, KubeError } from './kube-client.ts';
import type { ApiObject } from './kube-object.ts';
import { collectionPath } from './kube-resources.ts';
import { MERGE, writeQuery } from './write-request.ts';

/** Who writes, and what is known of Deployments. */
interface DeploymentScalingOptions {
  /** Sends nothing that this process may not write. */
  readonly client: Pick<KubeClient, 'request'>;
  readonly deployments: Pick<Deployments, 'get' | 'scaled'>;
}

/** Answers to what will not be right the next time either: no right, no such Deployment, not allowed. */
const FINAL: ReadonlySet<number> = new Set([400, 403, 404, 405, 422]);
/** No answer (0), or one by which the server only has too much to do. */
const SOON_RIGHT: ReadonlySet<number> = new Set([0, 429, 503]);

/** A step can wait for an admission webhook that fails (500). A rollback cannot: it goes by the pods that there are. */
function isFinal({ cause }: ScaleOrder, status: number): boolean {
  return cause === 'rollback' ? !SOON_RIGHT.has(status) : FINAL.has(status);
}

/**
 * Scales Deployments through their scale subresource (autoscaling/v1 Scale): with a right to that alone, nothing else of them can be changed. Each write names
 * the version of the Deployment that it was decided by.
 */
export function deploymentScaling({ client, deployments }: DeploymentScalingOptions): Scaling {
  return {
    async scale(order: ScaleOrder): Promise<ScaleOutcome> {
      const { namespace, name, from, to } = order;
      const known = deployments.get(namespace, name);
      if (known === undefined || (known.spec?.replicas ?? 1) !== from) return { kind: 'outdated' };
      const { resourceVersion } = known.metadata;
      const body = { metadata: { resourceVersion }, spec: { replicas: to } };
      const path = `${collectionPath('/apis/apps/v1', 'deployments', namespace)}/${encodeURIComponent(name)}/scale${writeQuery({ body })}`;
      try {
        const scale = (await client.request(path, { method: 'PATCH', contentType: MERGE, body })) as ApiObject;
        deployments.scaled(known, to, scale.metadata.resourceVersion ?? '');
        return { kind: 'done' };
      } catch (error) {
        if (!(error instanceof KubeError)) throw error;
        if (error.status === 409) return { kind: 'outdated' };
        if (!isFinal(order, error.status)) throw error;
        return { kind: 'refused', reason: `Deployment ${namespace}/${name} could not be scaled to ${to}: ${plainText(error.message)}` };
      }
    },
  };
}
