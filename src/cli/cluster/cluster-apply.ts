import { releaseAdmission } from '../../cluster/admission.ts';
import { duplicateObjects } from '../../cluster/duplicate-objects.ts';
import { KubeError, type KubeRequest } from '../../cluster/kube/kube-client.ts';
import type { ApiObject } from '../../cluster/kube/kube-object.ts';
import { KUBE_KINDS, objectPath } from '../../cluster/kube/kube-resources.ts';
import { FIELD_MANAGER as CONTROLLER_MANAGER } from '../../cluster/kube/managed-fields.ts';
import { type Manifest, manifestOf, refOf, refText, sameJson } from '../../cluster/manifest.ts';
import type { ApplyOutcome, StoredObject } from '../../cluster/store.ts';
import { type Diagnostic, hasErrors } from '../../core/diagnostics/diagnostic.ts';
import type { KubeObject } from '../../core/istio/resources.ts';
import { KIND as RELEASE } from '../../core/release/canary-release.ts';
import { problem } from '../../server/problem.ts';
import { ApiProblem } from '../api-problem.ts';
import { CommandError } from '../command-error.ts';
import type { ApplyAnswer } from '../release-client.ts';
import { type ClusterConnection, FIELD_MANAGER } from './cluster-connection.ts';
import { findStored, readableStored } from './cluster-reader.ts';
import { spokenPart } from './explain-kube-error.ts';

/** An object that the apply would write. */
interface Write {
  readonly manifest: Manifest;
  readonly former: StoredObject | undefined;
  /** Fields of other managers are taken over. */
  readonly force: boolean;
}

/** Rehearsals that are under way at the same time. */
const AT_ONCE = 8;

/**
 * Applies objects server-side. The admission of releases, and a dry run of each at the apiserver, come before anything is written: where
 * one is refused, none is. What fails only then leaves those before it applied, and says so: a cluster has no transactions.
 * @throws ApiProblem with diagnostics where objects are refused.
 */
export async function applyToCluster(connection: ClusterConnection, objects: readonly KubeObject[], force: boolean): Promise<ApplyAnswer> {
  const twice = duplicateObjects(objects);
  if (hasErrors(twice)) throw refusal(twice);
  const wanted = objects.map((object) => releaseAdmission.baseOf(object));
  const namespaces = [...new Set(wanted.map((object) => refOf(object).namespace))];
  const { objects: known, hidden } = await readableStored(connection, KUBE_KINDS, namespaces);
  const writes: Write[] = [];
  const states = new Map(known.map((stored) => [refText(stored.ref), stored]));
  const applied: KubeObject[] = [];
  for (const object of wanted) {
    const ref = refOf(object);
    const former = states.get(refText(ref)) ?? (hidden === undefined ? undefined : await findStored(connection, ref));
    if (former?.deletionRequestedAt !== undefined) {
      throw new CommandError(`${refText(ref)} is being deleted, which a cluster does not take back: apply it again once it is gone`);
    }
    const manifest = manifestOf(object);
    if (former !== undefined && declares(former, manifest)) continue;
    applied.push(object);
    writes.push({ manifest, former, force });
  }
  const found = applied.length === 0 ? [] : releaseAdmission.admit(applied, known);
  if (hasErrors(found)) throw refusal(found);
  const rehearsed = await rehearse(connection, writes);
  const outcomes = await writeAll(connection, rehearsed);
  return {
    outcomes: wanted.map((object) => {
      const ref = refOf(object);
      return { ref, result: outcomes.get(refText(ref)) ?? 'unchanged' };
    }),
    warnings: found,
  };
}

function refusal(diagnostics: readonly Diagnostic[]): ApiProblem {
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  return new ApiProblem(problem(422, 'PERCH4007', `${errors} ${errors === 1 ? 'error' : 'errors'}; nothing was changed`, diagnostics));
}

/** Whether the object says all of that already: writing a base anew where releases are woven in would take them out for a moment, for nothing. */
function declares({ base }: StoredObject, wanted: Manifest): boolean {
  const { metadata, spec } = manifestOf(base);
  const has = (own: Readonly<Record<string, string>> = {}, given: Readonly<Record<string, string>> = {}): boolean =>
    Object.entries(given).every(([key, value]) => own[key] === value);
  return (
    sameJson(spec, wanted.spec) && has(metadata.labels, wanted.metadata.labels) && has(metadata.annotations, wanted.metadata.annotations)
  );
}

/** Each as it is to be written; throws where the apiserver refuses one of them. */
async function rehearse(connection: ClusterConnection, writes: readonly Write[]): Promise<readonly Write[]> {
  const rehearsed: Write[] = [];
  const refused: Diagnostic[] = [];
  for (let at = 0; at < writes.length; at += AT_ONCE) {
    const results = await Promise.all(writes.slice(at, at + AT_ONCE).map((write) => rehearseOne(connection, write)));
    for (const result of results) {
      if ('diagnostics' in result) refused.push(...result.diagnostics);
      else rehearsed.push(result);
    }
  }
  if (refused.length > 0) throw refusal(refused);
  return rehearsed;
}

async function rehearseOne(connection: ClusterConnection, write: Write): Promise<Write | { readonly diagnostics: readonly Diagnostic[] }> {
  try {
    await send(connection, write, true);
    return write;
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    const managers = managersIn(error);
    // What the controller wove in is not the owner's: a base given anew is woven again.
    if (managers.length > 0 && managers.every((manager) => manager === CONTROLLER_MANAGER)) {
      return await rehearseOne(connection, { ...write, force: true });
    }
    const diagnostics = managers.length > 0 ? [conflict(write, managers, error)] : invalid(write, error);
    if (diagnostics.length === 0) throw connection.explain(error);
    return { diagnostics };
  }
}

async function writeAll(connection: ClusterConnection, writes: readonly Write[]): Promise<ReadonlyMap<string, ApplyOutcome['result']>> {
  const outcomes = new Map<string, ApplyOutcome['result']>();
  const isRelease = ({ manifest }: Write): number => Number(manifest.kind === RELEASE);
  // Releases last: what they are woven into is there by then.
  const ordered = writes.toSorted((left, right) => isRelease(left) - isRelease(right));
  for (const [index, write] of ordered.entries()) {
    const { manifest, former } = write;
    try {
      const { metadata } = await send(connection, write, false);
      const isSame = former !== undefined && former.generation === (metadata.generation ?? 1) && declares(former, manifest);
      outcomes.set(refText(refOf(manifest)), former === undefined ? 'created' : isSame ? 'unchanged' : 'configured');
    } catch (error) {
      const explained = connection.explain(error);
      if (!(explained instanceof CommandError)) throw explained;
      const names = (some: readonly Write[]): string => some.map((each) => refText(refOf(each.manifest))).join(', ') || 'nothing';
      throw new CommandError(
        `${explained.message}\napplied before that: ${names(ordered.slice(0, index))}\nnot applied: ${names(ordered.slice(index))}`,
      );
    }
  }
  return outcomes;
}

async function send({ client, signal }: ClusterConnection, { manifest, force }: Write, isRehearsal: boolean): Promise<ApiObject> {
  const query = new URLSearchParams({
    fieldManager: FIELD_MANAGER,
    fieldValidation: 'Strict',
    force: String(force),
    ...(isRehearsal ? { dryRun: 'All' } : {}),
  });
  const request: KubeRequest = { method: 'PATCH', body: manifest, contentType: 'application/apply-patch+yaml', signal };
  return (await client.request(`${objectPath(refOf(manifest), manifest.apiVersion)}?${query}`, request)) as ApiObject;
}

/** Who else manages fields that the apply would change (k8s.io/apimachinery, managedfields/internal conflict.go). */
function managersIn({ causes }: KubeError): readonly string[] {
  const managers = causes.flatMap(({ reason, message }) =>
    reason === 'FieldManagerConflict' ? (/conflict with "([^"]*)"/.exec(message ?? '')?.[1] ?? []) : [],
  );
  return [...new Set(managers)];
}

function conflict({ manifest }: Write, managers: readonly string[], { causes }: KubeError): Diagnostic {
  const fields = [...new Set(causes.flatMap(({ field }) => field?.replace(/^\./, '') ?? []))];
  const [path] = fields;
  return {
    code: 'PERCH4070',
    severity: 'error',
    message: `${fields.join(', ')} is managed by ${managers.join(' and ')}`,
    object: refText(refOf(manifest)),
    ...(path === undefined ? {} : { path }),
    hint: 'change it there, or take it over with --force-conflicts',
  };
}

/** What the apiserver finds wrong with the object, field by field; nothing where its answer is about something else. */
function invalid({ manifest }: Write, error: KubeError): readonly Diagnostic[] {
  const isAboutObject = error.status === 422 || error.status === 400 || (error.status === 404 && error.reason === 'NotFound');
  if (!isAboutObject) return [];
  const object = refText(refOf(manifest));
  const found = error.causes.length > 0 ? error.causes : [{ message: spokenPart(error) }];
  return found.map(({ message = spokenPart(error), field }) => ({
    code: 'PERCH4071',
    severity: 'error',
    message: `the cluster refuses it: ${message}`,
    object,
    ...(field === undefined || field === '' || field === '<nil>' ? {} : { path: field }),
    hint: 'correct the object as it says',
  }));
}
