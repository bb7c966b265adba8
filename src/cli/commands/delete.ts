import { Option } from 'commander';
import { refOf, refText } from '../../cluster/manifest.ts';
import type { ObjectRef } from '../../cluster/store.ts';
import { routedName, routeForm } from '../../core/release/route-form.ts';
import { describeVersion } from '../../core/release/version.ts';
import type { ReleaseView } from '../../server/release-resource.ts';
import { type AddCommand, type CliContext, examples } from '../cli-context.ts';
import { CommandError } from '../command-error.ts';
import { type Invocation, releaseCommand } from '../invocation.ts';
import { missingObject } from '../objects/missing-object.ts';
import { readObjectArguments } from '../objects/object-arguments.ts';
import { objectName } from '../objects/object-name.ts';
import { readObjects } from '../objects/read-objects.ts';
import { parseSpan } from '../options.ts';
import type { ReleaseClient } from '../release-client.ts';
import { versionAfter } from '../reports/live-version.ts';
import { claimsOn } from '../reports/release-claims.ts';
import { isDrawn } from '../reports/release-text.ts';
import { type Target, targetOf } from '../target.ts';
import { printable } from '../terminal/clip.ts';
import { deadline } from '../watching/deadline.ts';
import { watchReleases } from '../watching/watch-releases.ts';
import { byOption, whoAsks } from '../who-asks.ts';

interface DeleteOptions {
  readonly file?: readonly string[];
  readonly restoreBase?: true;
  readonly ignoreNotFound?: true;
  readonly wait: boolean;
  readonly timeout: number;
  readonly by?: string;
}

/** `perch delete`. */
export const addDelete: AddCommand = (program, context) => {
  program
    .command('delete')
    .description('delete objects; of a release first take its rules out of your routes: the live version stays live')
    .argument('[object...]', 'KIND NAME... or KIND/NAME...')
    .option('-f, --file <path...>', 'delete the objects that these files or directories name; - for standard input')
    .option('--restore-base', 'lead everyone back to where your routes led before the releases, instead of to the live version')
    .option('--ignore-not-found', 'it is no error when an object is not there')
    .option('--no-wait', 'do not wait until releases are gone')
    .addOption(new Option('--timeout <duration>', 'how long to wait until releases are gone').argParser(parseSpan).default(60_000, '60s'))
    .addOption(byOption())
    .addHelpText(
      'after',
      examples(
        ['perch delete release reviews', 'everyone stays on the live version'],
        ['perch delete release reviews --restore-base', 'everyone goes back to the version before'],
        ['perch delete -f release.yaml --ignore-not-found', 'what a file names, if it is there'],
        ['perch get vs -o name | xargs perch delete', 'all routes of the namespace; they end at once'],
      ),
    )
    .addHelpText(
      'after',
      '\nWhat perch serve -f finds in its files when it starts, it creates: to be rid of\nan object for good, take it out of the files too.',
    )
    .action(async (words: readonly string[], options: DeleteOptions, command) => {
      const target = await targetOf(command, context);
      const { client } = target;
      const refs = await readRefs(context, words, options, target);
      const others = refs.filter(({ kind }) => kind !== 'CanaryRelease');
      const wanted = refs.filter(({ kind }) => kind === 'CanaryRelease');
      if (options.restoreBase === true && wanted.length === 0) throw new CommandError('--restore-base is for releases, and none is named');
      const namespaces = [...new Set(refs.map(({ namespace }) => namespace))];
      const releases = (await Promise.all(namespaces.map((each) => client.releases(each)))).flat();
      for (const ref of others) refuseNeeded(ref, releases, refs, client.invocation);

      const deletion = { client, context, options, by: options.by ?? whoAsks() };
      const missing: string[] = [];
      const miss = async (ref: ObjectRef): Promise<void> => {
        // Suggestions cost a call, and are of no use where nobody reads them.
        if (options.ignoreNotFound !== true) missing.push((await missingObject(client, ref)).message);
      };
      const isOf = (ref: ObjectRef) => (release: ReleaseView) =>
        release.metadata.namespace === ref.namespace && release.metadata.name === ref.name;
      const waiting: ReleaseView[] = [];
      for (const ref of wanted) {
        const release = releases.find(isOf(ref));
        if (release === undefined || !(await removeRelease(deletion, ref))) await miss(ref);
        else waiting.push(release);
      }
      // Before the other objects: a release cannot be taken out of routes that are gone.
      for (const release of waiting) await finishRelease(deletion, release);
      for (const ref of others) {
        if (await client.remove(ref, deletion.by)) context.terminal.out(`${objectName(ref)} deleted`);
        else await miss(ref);
      }
      if (missing.length > 0) throw new CommandError(missing.join('\n'));
    });
};

interface Deletion {
  readonly client: ReleaseClient;
  readonly context: CliContext;
  readonly options: DeleteOptions;
  readonly by: string;
}

async function readRefs(
  context: CliContext,
  words: readonly string[],
  { file }: DeleteOptions,
  { namespace, fileNamespace }: Target,
): Promise<readonly ObjectRef[]> {
  if (file !== undefined) {
    if (words.length > 0) throw new CommandError('name objects, or give files with -f, not both');
    return (await readObjects(context, file, 'deleted', fileNamespace)).objects.map(({ object }) => refOf(object));
  }
  if (words.length === 0) throw new CommandError('name what to delete, such as release reviews, or give files with -f');
  const { named } = readObjectArguments(words, namespace);
  if (named.length === 0) throw new CommandError(`name what to delete: perch delete ${words[0]} NAME`);
  return named;
}

/** A VirtualService that a release needs goes with the release, or after it. */
function refuseNeeded(ref: ObjectRef, releases: readonly ReleaseView[], deleted: readonly ObjectRef[], invocation: Invocation): void {
  if (ref.kind !== 'VirtualService') return;
  const isDeleted = (release: ReleaseView): boolean =>
    deleted.some(
      ({ kind, namespace, name }) => kind === 'CanaryRelease' && namespace === release.metadata.namespace && name === release.metadata.name,
    );
  const claim = claimsOn(ref, releases).find(({ release }) => !isDeleted(release));
  if (claim === undefined) return;
  const { name } = claim.release.metadata;
  const why = {
    owned: `belongs to the release ${name}`,
    adopted: `is what the release ${name} is woven into`,
    issuing: `is where the release ${name} ${isDrawn(claim.release) ? 'draws visitors' : 'issues visitor ids'}`,
  }[claim.role];
  throw new CommandError(
    `${objectName(ref)} ${why}: delete the release first (${releaseCommand(invocation, 'delete release', claim.release.metadata)})`,
  );
}

function removeRelease({ client, options, by }: Deletion, ref: ObjectRef): Promise<boolean> {
  return options.restoreBase === true ? client.restoreBase(ref.namespace, ref.name, by) : client.remove(ref, by);
}

/** Waits until a release is gone, and says where its visitors are now. */
async function finishRelease({ client, context, options }: Deletion, release: ReleaseView): Promise<void> {
  const { terminal, signal } = context;
  const ref: ObjectRef = { kind: 'CanaryRelease', namespace: release.metadata.namespace, name: release.metadata.name };
  if (!options.wait) {
    terminal.out(`${objectName(ref)} is being deleted`);
    return;
  }
  await waitUntilGone(client, ref, options.timeout, signal);
  const live = await versionAfter(client, release);
  const where = live === undefined ? '' : `, everyone is on ${describeVersion(live)}`;
  const owned = objectName({ kind: 'VirtualService', namespace: ref.namespace, name: routedName(release) });
  const left = routeForm(release) === 'adopt' ? '' : `; ${owned}, which it owned, stays`;
  terminal.out(`${objectName(ref)} deleted${where}${left}`);
}

/** Throws CommandError with exit code 1 where it is still there after so many ms. */
async function waitUntilGone(client: ReleaseClient, ref: ObjectRef, timeoutMs: number, signal: AbortSignal): Promise<void> {
  const gone = new AbortController();
  let seen: ReleaseView | undefined;
  const screen = {
    update: (release: ReleaseView) => {
      seen = release;
    },
    remove: () => gone.abort(),
    setLost: () => {},
  };
  const end = AbortSignal.any([signal, gone.signal, deadline(timeoutMs)]);
  await watchReleases(client, screen, { namespace: ref.namespace, names: [ref.name] }, end);
  signal.throwIfAborted();
  if (gone.signal.aborted) return;
  const sign = await client.standstill();
  const why = sign === undefined ? seen?.status?.message : `${sign}: is perch controller running?`;
  throw new CommandError(
    `${refText(ref)} is still there, its routes are not taken out yet${why === undefined ? '' : `: ${printable(why)}`}`,
    1,
  );
}
