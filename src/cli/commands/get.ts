import { Argument, Option } from 'commander';
import type { ObjectView, ReleaseView } from '../../server/release-resource.ts';
import { type AddCommand, examples, targetOf } from '../cli-context.ts';
import { CommandError } from '../command-error.ts';
import { type Kind, objectName, readKind } from '../kinds.ts';
import { objectRows, releaseRows, type TableRows } from '../object-rows.ts';
import { outputOption } from '../options.ts';
import { listOf, type OutputFormat, writeValue } from '../output.ts';
import { table } from '../table.ts';

interface GetOptions {
  readonly output?: OutputFormat;
  readonly view: 'served' | 'base';
  readonly allNamespaces?: true;
}

/** `perch get`. */
export const addGet: AddCommand = (program, context) => {
  const { terminal } = context;
  program
    .command('get')
    .description('list releases, or the objects of another kind')
    .addArgument(
      new Argument('[kind]', 'release, virtualservice, destinationrule, gateway, serviceentry, workloadentry').default('release'),
    )
    .argument('[names...]', 'only these')
    .option('-A, --all-namespaces', 'of every namespace')
    .addOption(
      new Option('--view <view>', 'a routing object as it is served (with releases woven in) or its base, as it was applied')
        .choices(['served', 'base'])
        .default('served'),
    )
    .addOption(outputOption('json', 'yaml', 'wide', 'name'))
    .addHelpText(
      'after',
      examples(
        ['perch get', 'every release: where it stands, who sees it'],
        ['perch get release reviews -o yaml', 'one release, all of it'],
        ['perch get virtualservice reviews -o yaml', 'the routes at this moment, with the release woven in'],
        ['perch get vs reviews --view base -o yaml', 'the routes as you applied them'],
        ['perch get -A -o name', 'only names, of all namespaces'],
      ),
    )
    .action(async (kindWord: string, names: readonly string[], options: GetOptions, command) => {
      const kind = readKind(kindWord);
      const { client, namespace } = targetOf(command, context);
      const inNamespace = options.allNamespaces === true ? undefined : namespace;
      const all = kind === 'CanaryRelease' ? await client.releases() : await client.objects(kind, inNamespace, options.view);
      const found = all.filter(
        ({ metadata }) => [undefined, metadata.namespace].includes(inNamespace) && (names.length === 0 || names.includes(metadata.name)),
      );
      const missing = names.filter((name) => !found.some((object) => object.metadata.name === name));

      const where = inNamespace === undefined ? 'in any namespace' : `in namespace ${inNamespace}`;
      if (found.length === 0 && names.length === 0) terminal.err(`No ${kind} ${where}.`);
      await write(kind, found, options, names.length === 1);
      if (missing.length > 0) throw new CommandError(`there is no ${kind} ${missing.map((name) => `${namespace}/${name}`).join(', ')}`);
    });

  async function write(kind: Kind, found: readonly ObjectView[], options: GetOptions, onlyOne: boolean): Promise<void> {
    const { output } = options;
    if (output === 'json' || output === 'yaml') {
      // Figures are no part of the resource: what is printed here can be applied again. `perch status -o` has them.
      const resources = found.map(({ exposure: _, ...resource }: ObjectView & { readonly exposure?: unknown }) => resource);
      await writeValue(terminal, output, onlyOne && resources.length === 1 ? resources[0] : listOf(resources));
    } else if (output === 'name') {
      for (const { metadata } of found) terminal.out(objectName({ kind, ...metadata }));
    } else if (found.length > 0) {
      writeTable(kind, found, options);
    }
  }

  function writeTable(kind: Kind, found: readonly ObjectView[], { allNamespaces, output }: GetOptions): void {
    const now = Date.now();
    const wide = output === 'wide';
    const { head, rows }: TableRows =
      kind === 'CanaryRelease' ? releaseRows(found as readonly ReleaseView[], now, wide) : objectRows(kind, found, now);
    const withNamespace = allNamespaces === true;
    const lines = table(
      withNamespace ? ['NAMESPACE', ...head] : head,
      withNamespace ? rows.map((row, index) => [found[index]?.metadata.namespace ?? '', ...row]) : rows,
    );
    for (const line of lines) terminal.out(line);
  }
};
