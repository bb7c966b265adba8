import type { Cluster } from './selection.ts';

/** The name that Istio gives a cluster. */
export function clusterName({ host, port, subset }: Pick<Cluster, 'host' | 'port'> & { readonly subset?: string | undefined }): string {
  return `outbound|${port}|${subset ?? ''}|${host}`;
}
