import { Option } from 'commander';
import { refText } from '../../cluster/manifest.ts';
import type { ObjectView } from '../../server/release-resource.ts';
import { type AddCommand, type CliContext, examples } from '../cli-context.ts';
import { CommandError } from '../command-error.ts';
import { type FoundKind, type FoundObjects, findObjects } from '../objects/find-objects.ts';
import { noneThere } from '../objects/none-there.ts';
import { type ObjectArguments, readObjectArguments } from '../objects/object-arguments.ts';
import { objectPath, refOfView } from '../objects/object-name.ts';
import { outputOption } from '../options.ts';
import { type TableRows, tableRows } from '../reports/object-rows.ts';
import { targetOf } from '../target.ts';
import { listOf, type OutputFormat, writeValue } from '../terminal/output.ts';
import { table } from '../terminal/table.ts';
import { type KeyedTable, watchTable } from '../watching/watch-table.ts';

interface GetOptions {
  readonly output?: OutputFormat;
  readonly view: 'served' | 'base';
  readonly allNamespaces?: true;
  readonly watch?: true;
}

/** How objects are shown; `counts`: whether visitors are counted where they are. */
interface TableOptions extends GetOptions {
  readonly counts: boolean;
}

/** `perch get`. */
export const addGet: AddCommand = (program, context) => {
  program
    .command('get')
    .description('list releases, or the objects of other kinds')
    .argument('[object...]', 'KIND, KIND NAME... or KIND/NAME... (default: every release); KIND may be several, vs,gw, or all')
    .option('-A, --all-namespaces', 'of every namespace')
    .option('-w, --watch', 'follow them until Ctrl-C')
    .addOption(
      new Option('--view <view>', 'routing objects as they are served (with releases woven in), or their base, as it was applied')
        .choices(['served', 'base'])
        .default('served'),
    )
    .addOption(outputOption('json', 'yaml', 'wide', 'name'))
    .addHelpText(
      'after',
      examples(
        ['perch get', 'every release: where it stands, who sees it'],
        ['perch get release reviews -o yaml', 'all of one release'],
        ['perch get vs reviews -o yaml', 'the routes now, with the release woven in'],
        ['perch get vs reviews --view base', 'the routes as you applied them'],
        ['perch get all -A', 'every object there is'],
        ['perch get vs -o name | xargs perch describe', 'names for other commands'],
      ),
    )
    .action(async (words: readonly string[], options: GetOptions, command) => {
      const { client, namespace } = await targetOf(command, context);
      const tableOptions: TableOptions = { ...options, counts: client.counts };
      const asked = readObjectArguments(words, namespace);
      if (options.allNamespaces === true && asked.named.length > 0) {
        throw new CommandError('--all-namespaces is for lists: leave it out, or the names');
      }
      const inNamespace = options.allNamespaces === true ? undefined : namespace;
      const find = (): Promise<FoundObjects> => findObjects(client, asked, inNamespace, options.view);
      if (options.watch === true) {
        if (options.output !== undefined && options.output !== 'wide')
          throw new CommandError(`--watch shows tables, not -o ${options.output}`);
        if (asked.kinds.length > 1) throw new CommandError('--watch follows one kind at a time');
        const read = async (): Promise<KeyedTable> => {
          const { kinds, missing } = await find();
          if (missing.length > 0) throw new CommandError(missing.join('\n'));
          const [only = { kind: 'CanaryRelease' as const, objects: [] }] = kinds;
          return { ...tableOf(only, tableOptions, false), keys: only.objects.map((object) => refText(refOfView(object))) };
        };
        const [kind = 'CanaryRelease'] = asked.kinds;
        const places = new Set(asked.named.length === 0 ? [inNamespace] : asked.named.map((each) => each.namespace));
        const [only] = places;
        const changes = () => client.changes(kind, places.size === 1 ? only : undefined, context.signal);
        await watchTable(context, changes, read, noneThere(asked.kinds, inNamespace));
        return;
      }
      const { kinds, missing } = await find();
      await write(context, asked, kinds, tableOptions);
      if (missing.length > 0) throw new CommandError(missing.join('\n'));
      if (asked.named.length === 0 && kinds.every(({ objects }) => objects.length === 0)) {
        context.terminal.err(noneThere(asked.kinds, inNamespace));
      }
    });
};

async function write({ terminal }: CliContext, asked: ObjectArguments, kinds: readonly FoundKind[], options: TableOptions): Promise<void> {
  const { output } = options;
  const found = kinds.flatMap(({ objects }) => objects);
  if (output === 'json' || output === 'yaml') {
    const resources = found.map(withoutFigures);
    const [first] = resources;
    await writeValue(terminal, output, asked.named.length === 1 && first !== undefined ? first : listOf(resources));
  } else if (output === 'name') {
    for (const object of found) terminal.out(objectPath(refOfView(object), options.allNamespaces === true));
  } else {
    for (const line of tablesOf(kinds, options)) terminal.out(line);
  }
}

/** Figures are no part of the resource: what is printed here can be applied again. `perch status -o` has them. */
function withoutFigures({ exposure: _, ...resource }: ObjectView & { readonly exposure?: unknown }): unknown {
  return resource;
}

/** A table for each kind of which there are objects; of several kinds each name tells its kind. */
function tablesOf(kinds: readonly FoundKind[], options: TableOptions): readonly string[] {
  const shown = kinds.filter(({ objects }) => objects.length > 0);
  return shown.flatMap((found, index) => {
    const { head, rows } = tableOf(found, options, kinds.length > 1);
    const lines = table(head, rows);
    return index === 0 ? lines : ['', ...lines];
  });
}

function tableOf({ kind, objects }: FoundKind, { allNamespaces, output, counts }: TableOptions, withKind: boolean): TableRows {
  const { head, rows } = tableRows(kind, objects, { now: Date.now(), wide: output === 'wide', counts });
  const named = withKind ? rows.map(([name = '', ...rest]) => [objectPath({ kind, namespace: '', name }, false), ...rest]) : rows;
  if (allNamespaces !== true) return { head, rows: named };
  return { head: ['NAMESPACE', ...head], rows: named.map((row, index) => [objects[index]?.metadata.namespace ?? '', ...row]) };
}
