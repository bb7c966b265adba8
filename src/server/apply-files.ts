import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, extname, sep } from 'node:path';
import type { ApplyOutcome, ApplyResult, Store } from '../cluster/store.ts';
import { type Diagnostic, hasErrors } from '../core/diagnostics/diagnostic.ts';
import type { KubeObject } from '../core/istio/resources.ts';
import { locateDiagnostics } from './locate-diagnostics.ts';
import { isManifestName, readManifestFiles } from './manifest-files.ts';
import { releasesObserved } from './releases-observed.ts';

/** What an apply of files came to; when there are errors nothing was changed. */
export interface FilesApplied {
  readonly ok: boolean;
  readonly outcomes: readonly ApplyOutcome[];
  /** The store's revision after it; undefined where nothing was applied. */
  readonly revision: number | undefined;
  readonly diagnostics: readonly Diagnostic[];
  readonly skipped: ReadonlyMap<string, number>;
  readonly texts: ReadonlyMap<string, string>;
}

/**
 * Applies files and directories as the source "files"; `prune` deletes what they named before and no longer do, after what they name now is
 * served: a release that moves from one VirtualService to another leaves no gap.
 */
export async function applyFiles(store: Store, paths: readonly string[], options: { readonly prune: boolean }): Promise<FilesApplied> {
  const { objects, diagnostics, skipped, texts } = await readManifestFiles(paths);
  if (hasErrors(diagnostics)) return { ok: false, outcomes: [], revision: undefined, diagnostics, skipped, texts };
  const result = await applyThenPrune(
    store,
    objects.map(({ object }) => object),
    options.prune,
  );
  const found = locateDiagnostics(result.ok ? result.warnings : result.diagnostics, objects);
  return {
    ok: result.ok,
    outcomes: result.ok ? result.outcomes : [],
    revision: result.ok ? result.revision : undefined,
    diagnostics: [...diagnostics, ...found],
    skipped,
    texts,
  };
}

async function applyThenPrune(store: Store, objects: readonly KubeObject[], prune: boolean): Promise<ApplyResult> {
  const applied = await store.apply('files', objects);
  if (!prune) return applied;
  if (applied.ok) await releasesObserved(store);
  // What was refused may be right once the rest has gone.
  const pruned = await store.apply('files', objects, { prune });
  if (!applied.ok || !pruned.ok) return pruned;
  return {
    ...pruned,
    outcomes: [...applied.outcomes, ...pruned.outcomes.filter(({ result }) => result === 'pruned')],
    warnings: applied.warnings,
  };
}

/** Editors write a file in several steps, and a checkout writes many files: one change, after this many ms of quiet. */
const QUIET_MS = 150;

/** Whether a change below a watched directory may matter: manifests and directories do, hidden and other files (Perch's own data) do not. */
function concerns(name: string | null): boolean {
  if (name === null) return true;
  const isHidden = name.split(sep).some((part) => part.startsWith('.'));
  return !isHidden && (isManifestName(name) || extname(name) === '');
}

/** Calls back after files or directories changed and were quiet for a moment; returns the way to stop. */
export async function watchFiles(paths: readonly string[], onChange: () => void, onError: (error: unknown) => void): Promise<() => void> {
  let timer: NodeJS.Timeout | undefined;
  const watchers: FSWatcher[] = [];
  const changed = (): void => {
    clearTimeout(timer);
    timer = setTimeout(onChange, QUIET_MS);
  };
  for (const path of paths) {
    const isDirectory = (await stat(path)).isDirectory();
    // Of a single file the directory is watched: editors put a new file in the place of the old one.
    const watcher = isDirectory
      ? watch(path, { recursive: true }, (_, name) => concerns(name) && changed())
      : watch(dirname(path), (_, name) => (name === null || name === basename(path)) && changed());
    watchers.push(watcher.on('error', onError));
  }
  return () => {
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
  };
}
