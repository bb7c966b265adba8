import type { KubeObject } from '../../core/istio/resources.ts';

/** Names Perch in what it writes (metav1.PatchOptions and its like): so it is told from what others write. */
export const FIELD_MANAGER = 'perch';

/** A set of fields: `f:NAME` leads to the fields inside, `.` is the field itself (k8s.io/apimachinery, meta/v1 FieldsV1). */
interface FieldSet {
  readonly [name: string]: FieldSet;
}

/** Which fields somebody wrote last (meta/v1 ManagedFieldsEntry). */
export interface ManagedFields {
  readonly manager?: string;
  /** `Apply`: by server-side apply; `Update`: by any other write. */
  readonly operation?: string;
  readonly apiVersion?: string;
  /** When the set changed last: RFC 3339, whole seconds. */
  readonly time?: string;
  readonly fieldsType?: string;
  readonly fieldsV1?: FieldSet;
  readonly subresource?: string;
}

/** An object as the API gives it. */
type Managed = KubeObject & { readonly metadata: { readonly managedFields?: readonly ManagedFields[] } };

/** Whether Perch owns any field of the object but its status. */
export function isManaged(object: Managed): boolean {
  return entriesOf(object).some(isOwn);
}

/** Names of the fields of the spec that Perch owns. */
export function ownedSpecFields(object: Managed): readonly string[] {
  return Object.keys(ownFields(object)['f:spec'] ?? {}).flatMap((name) => (name.startsWith('f:') ? [name.slice(2)] : []));
}

/** Who else owns a field of the spec, whoever wrote last first, each once. */
export function writersOf(object: Managed, field: string): readonly string[] {
  const entries = entriesOf(object).filter((entry) => !isOwn(entry) && entry.fieldsV1?.['f:spec']?.[`f:${field}`] !== undefined);
  const sorted = entries.toSorted((left, right) => (right.time ?? '').localeCompare(left.time ?? ''));
  return [...new Set(sorted.map(({ manager = 'unknown' }) => manager))];
}

/**
 * The entries with Perch's own left out: its fields stay as they are and are nobody's, or only those of who else owns them. One empty entry where no
 * other is left, which is how the apiserver is asked for none: it takes an empty list for a client that does not know of them.
 */
export function handedBack(object: Managed): readonly ManagedFields[] {
  const others = entriesOf(object).filter((entry) => !isOwn(entry));
  return others.length === 0 ? [{}] : others;
}

/**
 * The entries with those of Perch as one of server-side apply, without these fields of the spec: what it does not apply any more, a server-side apply
 * takes out of the object. Undefined where that is what there is.
 */
export function narrowed(object: Managed, without: readonly string[]): readonly ManagedFields[] | undefined {
  const own = entriesOf(object).filter(isOwn);
  const isApplied = own.every(({ operation }) => operation === 'Apply');
  if (isApplied && !ownedSpecFields(object).some((name) => without.includes(name))) return undefined;
  const fields = ownFields(object);
  const { 'f:spec': spec = {}, ...rest } = fields;
  const kept = Object.fromEntries(Object.entries(spec).filter(([name]) => !without.includes(name.slice(2))));
  const fieldsV1: FieldSet = { ...rest, ...(Object.keys(kept).length > 0 ? { 'f:spec': kept } : {}) };
  const others = entriesOf(object).filter((entry) => !isOwn(entry));
  if (Object.keys(fieldsV1).length === 0) return handedBack(object);
  const { apiVersion } = object;
  return [...others, { manager: FIELD_MANAGER, operation: 'Apply', apiVersion, fieldsType: 'FieldsV1', fieldsV1, ...timeOf(own) }];
}

/** The horizontal pod autoscaler's own: nothing else of kube-controller-manager scales what it is told to. */
const AUTOSCALER = 'kube-controller-manager';

/** Whether an autoscaler was the last to scale the object through its scale subresource. */
export function isAutoscaled(object: Managed): boolean {
  return entriesOf(object).some(
    ({ manager, subresource, fieldsV1 }) =>
      manager === AUTOSCALER && subresource === 'scale' && fieldsV1?.['f:spec']?.['f:replicas'] !== undefined,
  );
}

function entriesOf({ metadata }: Managed): readonly ManagedFields[] {
  return metadata.managedFields ?? [];
}

function isOwn({ manager, subresource }: ManagedFields): boolean {
  return manager === FIELD_MANAGER && (subresource ?? '') === '';
}

function ownFields(object: Managed): FieldSet {
  return entriesOf(object)
    .filter(isOwn)
    .reduce((fields: FieldSet, { fieldsV1 = {} }) => union(fields, fieldsV1), {});
}

function union(left: FieldSet, right: FieldSet): FieldSet {
  const names = new Set([...Object.keys(left), ...Object.keys(right)]);
  return Object.fromEntries([...names].map((name) => [name, union(left[name] ?? {}, right[name] ?? {})]));
}

function timeOf(entries: readonly ManagedFields[]): Pick<ManagedFields, 'time'> {
  const time = entries
    .map((entry) => entry.time ?? '')
    .toSorted()
    .at(-1);
  return time === undefined || time === '' ? {} : { time };
}
