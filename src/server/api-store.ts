import type { Store } from '../cluster/store.ts';

/** What of a store the HTTP API answers from, and asks for changes. */
export type ApiStore = Pick<
  Store,
  'revision' | 'get' | 'list' | 'watch' | 'servedRevision' | 'onServed' | 'apply' | 'requestDeletion' | 'postRequest' | 'history'
>;
