/** Namespace of the Lease that controllers hold, unless they are told otherwise. */
export const LEASE_NAMESPACE = 'perch-system';
