import { LEASE_NAMESPACE } from '../../cluster/kube/lease-namespace.ts';
import { leaseName } from '../../cluster/kube/namespace-scope.ts';
import { countdown } from '../terminal/age.ts';
import type { ClusterConnection } from './cluster-connection.ts';

interface LeaseAnswer {
  readonly spec?: { readonly holderIdentity?: string; readonly leaseDurationSeconds?: number; readonly renewTime?: string };
}

/** Clocks of two machines may differ by so much, in ms. */
const CLOCKS_MS = 30_000;

/** A sign that no controller leads, in a clause: of the Lease in its usual place, where it does not have to be. Undefined where one does. */
export async function controllerStandstill(connection: ClusterConnection): Promise<string | undefined> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${LEASE_NAMESPACE}/leases/${leaseName(undefined)}`;
  const lease = (await connection.find(path)) as LeaseAnswer | undefined;
  const where = `Lease ${LEASE_NAMESPACE}/${leaseName(undefined)}`;
  if (lease === undefined) return `there is no ${where}`;
  const { holderIdentity = '', leaseDurationSeconds = 0, renewTime = '' } = lease.spec ?? {};
  if (holderIdentity === '') return `nobody holds ${where}`;
  const quiet = Date.now() - Date.parse(renewTime);
  if (!(quiet > leaseDurationSeconds * 1000 + CLOCKS_MS)) return undefined;
  return `${where} was renewed ${countdown(quiet)} ago`;
}
