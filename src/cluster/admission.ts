import type { Diagnostic } from '../core/diagnostics/diagnostic.ts';
import type { KubeObject } from '../core/istio/resources.ts';
import { refOf, refText } from './manifest.ts';
import type { StoredObject } from './store.ts';

/** What a store asks before it takes objects in. Pure: the same objects get the same answer. */
export interface Admission {
  /** The form that the owner means: a copy of a woven object without its woven rules; any other object as it is. */
  baseOf(object: KubeObject): KubeObject;
  /**
   * All findings about `applied`, the objects that the apply would create or change. `existing` is what the store holds and would
   * go on to hold: the former state of `applied` included, what the apply prunes left out. An error refuses the whole apply.
   */
  admit(applied: readonly KubeObject[], existing: readonly StoredObject[]): readonly Diagnostic[];
}

const KINDS: ReadonlySet<string> = new Set([
  'CanaryRelease',
  'Gateway',
  'VirtualService',
  'DestinationRule',
  'ServiceEntry',
  'WorkloadEntry',
]);

/** What the embedded runtime takes in. */
export const runtimeAdmission: Admission = {
  baseOf: (object) => object,
  admit: (applied) => applied.flatMap(refuseOtherKinds),
};

function refuseOtherKinds(object: KubeObject): readonly Diagnostic[] {
  if (KINDS.has(object.kind)) return [];
  return [
    {
      code: 'PERCH4051',
      severity: 'error',
      message: `Perch does not keep objects of kind ${object.kind}`,
      object: refText(refOf(object)),
      path: 'kind',
      hint: 'leave it out: it stays with the tool that runs it',
    },
  ];
}
