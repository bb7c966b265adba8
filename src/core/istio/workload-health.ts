import type { KubeObject } from './resources.ts';

/** Annotation by which a workload's agent says that it probes it, and in which condition it tells the result. */
const PROBED = 'proxy.istio.io/health-checks-enabled';
const CONDITION = 'Healthy';

/**
 * Whether istiod sends requests to a WorkloadEntry: one that its agent probes only while the agent says so, any other always (istio
 * pilot/pkg/serviceregistry/serviceentry isHealthy).
 */
export function isHealthyWorkload({ metadata, status }: KubeObject & { readonly status?: unknown }): boolean {
  // What Go's strconv.ParseBool takes for true.
  if (!/^(1|t|T|TRUE|true|True)$/.test(metadata.annotations?.[PROBED] ?? '')) return true;
  const { conditions = [] } = (status ?? {}) as { readonly conditions?: readonly { readonly type?: string; readonly status?: string }[] };
  return conditions.some(({ type, status: verdict }) => type === CONDITION && verdict === 'True');
}
