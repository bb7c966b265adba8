import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { refuseKind } from '../cluster/refuse-kind.ts';
import type { Diagnostic } from '../core/diagnostics/diagnostic.ts';
import { isGatewayApi, isHttpRouteOfGatewayApi, validateHttpRoute } from '../core/gateway-api/validate-http-route.ts';
import { isRoutingKind, isSkippableKind } from '../core/istio/kinds.ts';
import { validateRoutingObject } from '../core/istio/validate.ts';
import { isCanaryRelease, validateCanaryRelease } from '../core/release/validate.ts';
import type { UsualNamespace } from '../core/source/kube-object.ts';
import { type ManifestObject, parseManifests } from '../core/source/manifests.ts';

/** Files as they were read, and all that is wrong with them. With errors among the diagnostics nothing should be applied. */
export interface ManifestFiles {
  /** Those that concern Perch, in the order of the files. */
  readonly objects: readonly ManifestObject[];
  readonly diagnostics: readonly Diagnostic[];
  /** Kinds that do not concern routing and were left out, each once, with how many there were. */
  readonly skipped: ReadonlyMap<string, number>;
  /** What was read, by file name: to show lines beside diagnostics. */
  readonly texts: ReadonlyMap<string, string>;
}

/** The name that stands for standard input, as in `-f -`. */
const STDIN = '-';

/** Whether files of this name are read where a directory is given. */
export function isManifestName(name: string): boolean {
  return /\.(ya?ml|json)$/i.test(name);
}

function isErrno(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error;
}

function unreadable(file: string, error: NodeJS.ErrnoException): Diagnostic {
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'there is no such file or directory',
    EACCES: 'access is denied',
    EISDIR: 'it is a directory',
  };
  const reason = reasons[error.code ?? ''] ?? error.message;
  const hint = /^https?:\/\//.test(file) ? { hint: `fetch it yourself: curl -sf ${file} | perch apply -f -` } : {};
  return { code: 'PERCH4014', severity: 'error', message: `cannot read ${file}: ${reason}`, ...hint };
}

/** Undefined where it is not UTF-8: replacement characters would be applied as if someone had written them. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

function notUtf8(file: string): Diagnostic {
  const message = `cannot read ${file}: it is no text in UTF-8`;
  return { code: 'PERCH4014', severity: 'error', message, hint: 'save it as UTF-8, or leave it out if it is no manifest' };
}

/** Manifest files at a path: itself if it is a file, whatever its name; of a directory all below it, in order of their names. */
async function filesAt(path: string): Promise<readonly string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const found: string[] = [];
  const entries = await readdir(path, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    // Hidden ones are editors' and tools' own: .git, .perch, swap files.
    if (entry.name.startsWith('.')) continue;
    const below = join(path, entry.name);
    if (entry.isDirectory()) found.push(...(await filesAt(below)));
    else if (isManifestName(entry.name)) found.push(below);
  }
  return found;
}

function validate({ object, locate }: ManifestObject, gatewayApi: boolean): readonly Diagnostic[] {
  if (gatewayApi && isGatewayApi(object)) return validateHttpRoute(object, locate);
  if (isCanaryRelease(object)) return validateCanaryRelease(object, locate).diagnostics;
  return isRoutingKind(object.kind) ? validateRoutingObject(object, locate) : [refuseKind(object, locate)];
}

/** What a reader of files may need beside the paths. */
export interface ManifestFileOptions {
  /** Gives what `-` stands for; without it `-` is a file of that name. */
  readonly readStdin?: () => Promise<Uint8Array>;
  /** That of objects that name none; `default` without it. */
  readonly namespace?: UsualNamespace;
  /** Whether HTTPRoutes are read, and other kinds of Gateway API left out; default: all of them are refused. */
  readonly gatewayApi?: boolean;
}

/**
 * Reads and validates files, directories (recursively: .yaml, .yml, .json) and standard input (`-`).
 * What cannot be read is a diagnostic like any other: all findings at once.
 */
export async function readManifestFiles(
  paths: readonly string[],
  { readStdin, namespace, gatewayApi = false }: ManifestFileOptions = {},
): Promise<ManifestFiles> {
  const texts = new Map<string, string>();
  const diagnostics: Diagnostic[] = [];
  const skipped = new Map<string, number>();
  const objects: ManifestObject[] = [];

  const add = (file: string, bytes: Uint8Array): void => {
    const text = textOf(bytes);
    if (text === undefined) diagnostics.push(notUtf8(file));
    else texts.set(file, text);
  };
  for (const path of paths) {
    try {
      if (path === STDIN && readStdin !== undefined) {
        add('(standard input)', await readStdin());
        continue;
      }
      const files = await filesAt(path);
      if (files.length === 0)
        diagnostics.push({ code: 'PERCH4014', severity: 'error', message: `there is no .yaml, .yml or .json file in ${path}` });
      for (const file of files) add(file, await readFile(file));
    } catch (error) {
      if (!isErrno(error)) throw error;
      diagnostics.push(unreadable(error.path ?? path, error));
    }
  }

  for (const [file, text] of texts) {
    const manifests = parseManifests(text, file, namespace);
    diagnostics.push(...manifests.diagnostics);
    for (const manifest of manifests.objects) {
      const { object } = manifest;
      if (isSkippableKind(object) || (gatewayApi && isGatewayApi(object) && !isHttpRouteOfGatewayApi(object))) {
        const { kind } = object;
        skipped.set(kind, (skipped.get(kind) ?? 0) + 1);
        continue;
      }
      objects.push(manifest);
      diagnostics.push(...validate(manifest, gatewayApi));
    }
  }
  return { objects, diagnostics, skipped, texts };
}

/** The note about what was left out: `skipped 2 Deployment, 1 Service: they do not concern routing`; undefined where nothing was. */
export function skippedNote(skipped: ReadonlyMap<string, number>): string | undefined {
  if (skipped.size === 0) return undefined;
  return `skipped ${[...skipped].map(([kind, number]) => `${number} ${kind}`).join(', ')}: not about routing`;
}
