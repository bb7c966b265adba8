import { hasErrors } from '../../core/diagnostics/diagnostic.ts';
import type { UsualNamespace } from '../../core/source/kube-object.ts';
import type { ManifestFiles } from '../../server/manifest-files.ts';
import type { CliContext } from '../cli-context.ts';
import { CommandError } from '../command-error.ts';
import { countErrors, printDiagnostics } from '../terminal/print-diagnostics.ts';
import { readStdin } from './read-stdin.ts';

/**
 * Reads what `-f` names and prints all that is to be said about it. Throws CommandError where there is nothing, or an error; then nothing
 * was `done` ("applied"). `namespace` is that of objects that name none.
 */
export async function readObjects(
  { terminal, signal }: CliContext,
  paths: readonly string[],
  done: 'applied' | 'deleted' | 'planned' | 'rendered' | 'simulated' | 'tried',
  namespace: UsualNamespace | undefined,
): Promise<ManifestFiles> {
  // The schemas take time to load; commands that only ask do without.
  const { readManifestFiles, skippedNote } = await import('../../server/manifest-files.ts');
  const files = await readManifestFiles(paths, {
    readStdin: () => readStdin(signal),
    ...(namespace === undefined ? {} : { namespace }),
    gatewayApi: done === 'planned' || done === 'rendered' || done === 'tried',
  });
  printDiagnostics(terminal, files.diagnostics, files.texts);
  if (hasErrors(files.diagnostics)) throw new CommandError(`${countErrors(files.diagnostics)}; nothing was ${done}`);
  const note = skippedNote(files.skipped);
  if (note !== undefined) terminal.err(`note: ${note}`);
  if (files.objects.length === 0) throw new CommandError(`the files hold nothing to be ${done}`);
  return files;
}
