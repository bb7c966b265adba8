import { KubeClient } from '../../cluster/kube/kube-client.ts';
import type { CliContext } from '../cli-context.ts';
import type { ClusterOptions, OpenedTarget, TargetChoice } from '../target-choice.ts';
import { clusterAccess } from './cluster-access.ts';
import { ClusterClient } from './cluster-client.ts';
import { ClusterConnection } from './cluster-connection.ts';

/** A client for the cluster that was chosen, and the namespace of its context. Throws CommandError where the kubeconfig is of no use. */
export function openCluster(
  { cluster, named }: Extract<TargetChoice, { kind: 'cluster' }>,
  { signal, isPlugin }: CliContext,
): OpenedTarget {
  const access = clusterAccess(cluster);
  const namespace = access.namespace === undefined || access.namespace === '' ? 'default' : access.namespace;
  const connection = new ClusterConnection(new KubeClient(access), access, signal);
  const program = [isPlugin === true ? 'kubectl perch' : 'perch', ...wordsFor(named)].join(' ');
  return { client: new ClusterClient(connection, { program, namespace }), namespace };
}

/** The options as they are to be typed again. */
function wordsFor({ kubeconfig, context }: ClusterOptions): readonly string[] {
  return [
    ...(kubeconfig === undefined ? [] : ['--kubeconfig', quoted(kubeconfig)]),
    ...(context === undefined ? [] : ['--context', quoted(context)]),
  ];
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
