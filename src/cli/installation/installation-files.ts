import { readFileSync } from 'node:fs';
import { type Document, parse, parseAllDocuments } from 'yaml';

/** deploy/, three directories up from both src/cli/installation and dist/cli/installation. */
const FOLDER = new URL('../../../deploy/', import.meta.url);

/** The namespace that the files name. */
export const SHIPPED_NAMESPACE = 'perch-system';

/** A file of deploy/ that an installation is made of: its path there, and its text. */
export interface InstallationFile {
  readonly name: string;
  readonly text: string;
}

/** Which object of the files a patch is for. */
interface PatchTarget {
  readonly kind: string;
  readonly name: string;
}

/** A part of an object that a component adds or takes out (RFC 6902): `/spec/ingress/-`. */
export type Operation =
  | { readonly op: 'add'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

/** What a component makes of an object of the files: it is changed, or left out. */
export interface ComponentPatch {
  readonly target: PatchTarget;
  readonly change: readonly Operation[] | 'delete';
}

/** How an installation may differ from the files that deploy/kustomization.yaml names. */
export interface InstallationComponent {
  readonly files: readonly InstallationFile[];
  readonly patches: readonly ComponentPatch[];
}

interface Kustomization {
  readonly resources?: readonly string[];
  readonly patches?: readonly { readonly target: PatchTarget; readonly patch: string }[];
}

/** The files that deploy/kustomization.yaml names, in its order, which is the one in which they can be applied. */
export function installationFiles(): readonly InstallationFile[] {
  return filesOf('');
}

/** A component of deploy/, such as `webhook`. */
export function installationComponent(name: string): InstallationComponent {
  const patches = (kustomizationOf(`${name}/`).patches ?? []).map(({ target, patch }) => ({
    target,
    change: changeOf(name, parse(patch)),
  }));
  return { files: filesOf(`${name}/`), patches };
}

/** The files of a base below deploy/, such as `namespaced/watched`. */
export function installationBase(name: string): readonly InstallationFile[] {
  return filesOf(`${name}/`);
}

/** @throws Error where a patch does anything else: nothing more is needed, or done, by now. */
function changeOf(name: string, patch: unknown): ComponentPatch['change'] {
  if (!Array.isArray(patch)) {
    if ((patch as { readonly $patch?: string }).$patch === 'delete') return 'delete';
    throw new Error(`deploy/${name}: a patch that is merged`);
  }
  const operations = patch as readonly Operation[];
  for (const { op } of operations) if (op !== 'add' && op !== 'remove') throw new Error(`deploy/${name}: a patch that does ${op}`);
  return operations;
}

/** The objects of a file, with their comments. */
export function documentsOf({ text }: InstallationFile): readonly Document[] {
  // kubectl reads YAML 1.1, where a plain `on` is true: a namespace may have that name.
  return parseAllDocuments(text, { compat: 'yaml-1.1' }) as readonly Document[];
}

function filesOf(folder: string): readonly InstallationFile[] {
  return (kustomizationOf(folder).resources ?? []).map((file) => ({ name: `${folder}${file}`, text: readText(`${folder}${file}`) }));
}

function kustomizationOf(folder: string): Kustomization {
  return parse(readText(`${folder}kustomization.yaml`)) as Kustomization;
}

function readText(name: string): string {
  return readFileSync(new URL(name, FOLDER), 'utf8');
}
