import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { openTarget } from '../target.ts';
import { chooseTarget, clusterOptions, type TargetOptions } from '../target-choice.ts';
import { type Candidate, complete, type NameSource } from './completion.ts';

/** What kubectl's own completion makes of the last line (spf13/cobra, ShellCompDirective). */
const COBRA = { filesToo: 0, noFiles: 4 } as const;

/** Nobody waits longer than this for a TAB, in ms. */
const PATIENCE_MS = 1500;

/**
 * Answers a shell's completion script: a line for each candidate, \`VALUE\\tABOUT\`, and \`:files\` where paths may follow too. Silent where
 * the runtime cannot be reached.
 */
export async function printCompletion(program: Command, words: readonly string[], context: CliContext): Promise<void> {
  const { candidates, files } = await complete(program, joinAssignments(words), namesFrom(context));
  for (const { value, about } of candidates) context.terminal.out(`${value}\t${about}`);
  if (context.isPlugin === true) context.terminal.out(`:${files ? COBRA.filesToo : COBRA.noFiles}`);
  else if (files) context.terminal.out(':files');
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

function namesFrom(context: CliContext): NameSource {
  const silently = async (look: () => Promise<readonly string[]>): Promise<readonly Candidate[]> => {
    try {
      return (await look()).map((value) => ({ value, about: '' }));
    } catch {
      // An error would stand in the middle of the line that is being typed.
      return [];
    }
  };
  const open = async (given: TargetOptions) => {
    const choice = chooseTarget(given, context);
    // What takes time to load is no reason to give up.
    if (choice.kind === 'cluster') await import('../cluster/open-cluster.ts');
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(PATIENCE_MS)]);
    return await openTarget(choice, { ...context, signal });
  };
  return {
    names: (kind, given) =>
      silently(async () => {
        const { client, namespace } = await open(given);
        const found = await client.objects(kind, given.namespace ?? namespace, 'served');
        return found.map(({ metadata }) => metadata.name);
      }),
    namespaces: (given) => silently(async () => await (await open(given)).client.namespaces()),
    contexts: (given) =>
      silently(async () => {
        const { kubeconfigContexts } = await import('../../cluster/kube/kubeconfig.ts');
        return kubeconfigContexts(clusterOptions(given, context));
      }),
  };
}
