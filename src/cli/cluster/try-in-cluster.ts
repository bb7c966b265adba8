import { KUBE_KINDS } from '../../cluster/kube/kube-resources.ts';
import { KIND as RELEASE } from '../../core/release/canary-release.ts';
import type { RouteTrialView } from '../../core/view/route-trial-view.ts';
import { problem } from '../../server/problem.ts';
import type { AskedTrial } from '../../server/views/trial-request.ts';
import { ApiProblem } from '../api-problem.ts';
import type { ClusterConnection } from './cluster-connection.ts';
import { readableStored } from './cluster-reader.ts';

/**
 * Tries a request on the routes of a cluster, as far as they may be read: of all namespaces, else of these. Throws ApiProblem for a request that is none, as the
 * API of a runtime does.
 */
export async function tryInCluster(
  connection: ClusterConnection,
  asked: AskedTrial,
  namespaces: readonly string[],
): Promise<RouteTrialView> {
  // Compiling routes takes time to load; commands that ask of releases do without.
  const { tryRequest } = await import('../../server/views/route-trial.ts');
  const { ClusterRoutes } = await import('../../server/views/cluster-routes.ts');
  const { carriersOf } = await import('../../server/views/answer-trial.ts');
  const { objects, hidden } = await readableStored(connection, KUBE_KINDS, namespaces);
  const [releases, routing] = [objects.filter(({ ref }) => ref.kind === RELEASE), objects.filter(({ ref }) => ref.kind !== RELEASE)];
  const answer = await tryRequest(asked, {
    carriers: carriersOf(releases),
    routes: async (host, port) => new ClusterRoutes().of(routing, host, port),
  });
  if (!answer.ok) throw new ApiProblem(problem(400, 'PERCH4006', answer.detail));
  const { view } = answer;
  return hidden === undefined ? view : { ...view, notes: [`Other routes may take it: ${hidden}.`, ...view.notes] };
}
