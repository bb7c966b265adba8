import type { Command } from 'commander';
import { ApiClient } from '../api-client.ts';
import type { CliContext } from '../cli-context.ts';
import { DEFAULT_SERVER } from '../cli-context.ts';
import type { Kind } from '../objects/kinds.ts';
import { type Candidate, complete, type NameSource } from './completion.ts';

/** Nobody waits longer than this for a TAB, in ms. */
const PATIENCE_MS = 1500;

/**
 * Answers a shell's completion script: a line for each candidate, \`VALUE\\tABOUT\`, and \`:files\` where paths may follow too. Silent where
 * the runtime cannot be reached.
 */
export async function printCompletion(program: Command, words: readonly string[], context: CliContext): Promise<void> {
  const { candidates, files } = await complete(program, joinAssignments(words), namesFrom(context));
  for (const { value, about } of candidates) context.terminal.out(`${value}\t${about}`);
  if (files) context.terminal.out(':files');
}

/** bash takes `--output=json` for three words, and `--server=localhost:7070` for five. */
function joinAssignments(words: readonly string[]): readonly string[] {
  const whole: string[] = [];
  for (const [index, word] of words.entries()) {
    if (word === ':' || words[index - 1] === ':') whole.push(`${whole.pop() ?? ''}${word}`);
    else if (word !== '=') whole.push(word);
    else if (index === words.length - 1) whole.push('');
  }
  return whole;
}

function namesFrom({ signal, environment }: CliContext): NameSource {
  const clientOf = (server: string | undefined): ApiClient =>
    new ApiClient(server ?? (environment['PERCH_SERVER'] || DEFAULT_SERVER), AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]));
  const silently = async (look: () => Promise<readonly Candidate[]>): Promise<readonly Candidate[]> => {
    try {
      return await look();
    } catch {
      // An error would stand in the middle of the line that is being typed.
      return [];
    }
  };
  return {
    names: (kind: Kind, namespace, server) =>
      silently(async () => {
        const found = await clientOf(server).objects(kind, namespace, 'base');
        return found.map(({ metadata }) => ({ value: metadata.name, about: '' }));
      }),
    namespaces: (server) =>
      silently(async () => {
        const found = await clientOf(server).objects(undefined, undefined, 'base');
        return [...new Set(found.map(({ metadata }) => metadata.namespace))].map((value) => ({ value, about: '' }));
      }),
  };
}
