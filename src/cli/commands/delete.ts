import { setTimeout as sleep } from 'node:timers/promises';
import { Option } from 'commander';
import type { ObjectRef } from '../../cluster/store.ts';
import type { ApiClient } from '../api-client.ts';
import { type AddCommand, examples, targetOf } from '../cli-context.ts';
import { CommandError } from '../command-error.ts';
import { objectName, readKind } from '../kinds.ts';
import { parseSpan } from '../options.ts';

interface DeleteOptions {
  readonly wait: boolean;
  readonly timeout: number;
}

/** How often a release on its way out is looked at, in ms. */
const POLL_MS = 100;

/** Waits until an object is gone; false when it is not in time. */
async function isGone(client: ApiClient, ref: ObjectRef, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
  const until = performance.now() + timeoutMs;
  while ((await client.object(ref, 'base')) !== undefined) {
    if (performance.now() >= until) return false;
    await sleep(POLL_MS, undefined, { signal });
  }
  return true;
}

/** `perch delete`. */
export const addDelete: AddCommand = (program, context) => {
  const { terminal, signal } = context;
  program
    .command('delete')
    .description('delete objects; of a release first take its rules out of your routes: the live version stays live')
    .argument('<kind>', 'release, virtualservice, destinationrule, gateway, serviceentry, workloadentry')
    .argument('<names...>', 'their names')
    .option('--no-wait', 'do not wait until a release is gone')
    .addOption(new Option('--timeout <duration>', 'how long to wait').argParser(parseSpan).default(60_000, '60s'))
    .addHelpText(
      'after',
      examples(
        ['perch delete release reviews', 'everyone stays on the live version'],
        ['perch delete virtualservice reviews', 'its routes end at once'],
      ),
    )
    .action(async (kindWord: string, names: readonly string[], options: DeleteOptions, command) => {
      const kind = readKind(kindWord);
      const { client, namespace } = targetOf(command, context);
      const missing: string[] = [];
      for (const name of names) {
        const ref = { kind, namespace, name };
        if (!(await client.remove(ref))) missing.push(`${namespace}/${name}`);
        else if (kind === 'CanaryRelease' && options.wait && !(await isGone(client, ref, options.timeout, signal))) {
          throw new CommandError(`${objectName(ref)} is still there: its routes are not taken out yet; perch status ${name} says why`, 1);
        } else terminal.out(`${objectName(ref)} deleted`);
      }
      if (missing.length > 0) throw new CommandError(`there is no ${kind} ${missing.join(', ')}`);
    });
};
