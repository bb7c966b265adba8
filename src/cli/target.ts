import type { Command } from 'commander';
import type { UsualNamespace } from '../core/source/kube-object.ts';
import { ApiClient } from './api-client.ts';
import type { CliContext } from './cli-context.ts';
import { PLAIN_INVOCATION } from './invocation.ts';
import { chooseTarget, givenOptions, type OpenedTarget, type TargetChoice } from './target-choice.ts';

/** Where a command finds what it is about. */
export interface Target extends OpenedTarget {
  /** That of files that name none. */
  readonly fileNamespace: UsualNamespace;
}

/** A client for what was chosen, and the namespace that is meant where none is named. */
export async function openTarget(choice: TargetChoice, context: CliContext): Promise<OpenedTarget> {
  if (choice.kind === 'embedded') {
    return { client: new ApiClient(choice.server, context.signal, choice.credentials), namespace: PLAIN_INVOCATION.namespace };
  }
  // The client of Kubernetes takes time to load; whoever talks to an embedded runtime does without.
  const { openCluster } = await import('./cluster/open-cluster.ts');
  return openCluster(choice, context);
}

/** The runtime or cluster, and the namespace, that the program's options name. */
export async function targetOf(command: Command, context: CliContext): Promise<Target> {
  const given = givenOptions(command);
  const { client, namespace } = await openTarget(chooseTarget(given, context), context);
  const named = given.namespace ?? namespace;
  return { client, namespace: named, fileNamespace: { name: named, isRequired: given.namespace !== undefined } };
}
