import { type KubeconfigAccess, kubeAccess } from '../../cluster/kube/kubeconfig.ts';
import { CommandError } from '../command-error.ts';
import type { ClusterOptions } from '../target-choice.ts';

/** Access to the cluster that is meant. Throws CommandError where the kubeconfig is of no use. */
export function clusterAccess(options: ClusterOptions): KubeconfigAccess {
  try {
    return kubeAccess(options);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandError(`no cluster to talk to: ${why}. --kubeconfig FILE and --context NAME name one`);
  }
}
