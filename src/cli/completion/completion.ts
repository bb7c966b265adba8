import type { Argument, Command, Option } from 'commander';
import { KINDS, type Kind, kindWord, readKind } from '../objects/kinds.ts';
import type { TargetOptions } from '../target-choice.ts';
import { phaseNames } from '../watching/phase-goal.ts';

/** One way to go on with a command line. */
export interface Candidate {
  readonly value: string;
  /** In a few words; empty where there is nothing to say. */
  readonly about: string;
}

/** How a command line can go on; `files`: with paths too. */
export interface Completion {
  readonly candidates: readonly Candidate[];
  readonly files: boolean;
}

/** Names that only the runtime knows; empty where it cannot be reached. */
export interface NameSource {
  names(kind: Kind, target: TargetOptions): Promise<readonly Candidate[]>;
  namespaces(target: TargetOptions): Promise<readonly Candidate[]>;
  /** Of the kubeconfig. */
  contexts(target: TargetOptions): Promise<readonly Candidate[]>;
}

/** What stands before the word that is completed. */
interface Context {
  readonly program: Command;
  readonly command: Command;
  readonly positional: readonly string[];
  readonly values: ReadonlyMap<string, string>;
  readonly source: NameSource;
}

/** The words by which help texts call kinds. */
const KIND_CANDIDATES: readonly Candidate[] = KINDS.map((kind) => plain(kind === 'CanaryRelease' ? 'release' : kindWord(kind)));

function plain(value: string): Candidate {
  return { value, about: '' };
}

/**
 * Completes the last of `words`, which follow the program's name. What an option or argument takes is told by the name of its value in the
 * help: `<release>`, `<path>`, `<phase>` and so on; or by its choices.
 */
export async function complete(program: Command, words: readonly string[], source: NameSource): Promise<Completion> {
  const before = words.slice(0, -1);
  const partial = words.at(-1) ?? '';
  const { command, positional, values, open, greedy } = read(program, before);
  const context: Context = { program, command, positional, values, source };
  const found = await at(context, partial, open, greedy);
  return { ...found, candidates: found.candidates.filter(({ value }) => value.startsWith(partial)) };
}

async function at(context: Context, partial: string, open: Option | undefined, greedy: Option | undefined): Promise<Completion> {
  const { program, command, positional } = context;
  if (open !== undefined) return await valuesOf(context, open, partial);
  const [, name = '', given] = /^(--[^=]+)=(.*)$/s.exec(partial) ?? [];
  const assigned = name === '' ? undefined : optionNamed(context, name);
  if (assigned !== undefined) {
    const { candidates, files } = await valuesOf(context, assigned, given ?? '');
    return { candidates: candidates.map(({ value, about }) => ({ value: `${name}=${value}`, about })), files };
  }
  if (partial.startsWith('-')) return only(optionsOf(context));
  if (command === program) return only(commandsOf(program));
  if (greedy !== undefined) return await valuesOf(context, greedy, partial);
  const argument = command.registeredArguments[positional.length] ?? command.registeredArguments.findLast(({ variadic }) => variadic);
  return argument === undefined ? only([]) : await valuesOf(context, argument, partial);
}

function only(candidates: readonly Candidate[]): Completion {
  return { candidates, files: false };
}

interface Read extends Pick<Context, 'command' | 'positional' | 'values'> {
  /** An option that waits for its value. */
  readonly open: Option | undefined;
  /** An option that may take further values. */
  readonly greedy: Option | undefined;
}

function read(program: Command, words: readonly string[]): Read {
  let command = program;
  let open: Option | undefined;
  let greedy: Option | undefined;
  const positional: string[] = [];
  const values = new Map<string, string>();
  for (const word of words) {
    if (open !== undefined) {
      values.set(open.attributeName(), word);
      greedy = open.variadic ? open : undefined;
      open = undefined;
    } else if (word.startsWith('-')) {
      const [name = '', value] = word.split(/=(.*)/s, 2);
      const option = optionNamed({ program, command }, name);
      greedy = undefined;
      if (option?.required === true && value === undefined) open = option;
      else if (option !== undefined && value !== undefined) values.set(option.attributeName(), value);
    } else if (command === program) {
      command = program.commands.find((each) => each.name() === word) ?? program;
    } else if (greedy === undefined) {
      positional.push(word);
    }
  }
  return { command, positional, values, open, greedy };
}

function optionNamed({ program, command }: Pick<Context, 'program' | 'command'>, name: string): Option | undefined {
  return [...command.options, ...program.options].find(({ short, long }) => short === name || long === name);
}

function optionsOf({ program, command }: Context): readonly Candidate[] {
  const help = program.createHelp();
  const options = new Set([...help.visibleOptions(command), ...help.visibleOptions(program)]);
  return [...options].flatMap(({ long, description }) =>
    long === undefined || long === null ? [] : [{ value: long, about: description }],
  );
}

function commandsOf(program: Command): readonly Candidate[] {
  return program
    .createHelp()
    .visibleCommands(program)
    .map((command) => ({ value: command.name(), about: command.description() }));
}

/** What may stand for an option's value or an argument. */
async function valuesOf(context: Context, target: Option | Argument, partial: string): Promise<Completion> {
  const { program, values, source } = context;
  if (target.argChoices !== undefined) return only(target.argChoices.map(plain));
  const where = targetIn(values);
  switch (valueName(target)) {
    case 'release':
      return only(without(await source.names('CanaryRelease', where), context.positional));
    case 'object':
      return only(await objects(context, partial));
    case 'namespace':
      return only(await source.namespaces(where));
    case 'context':
      return only(await source.contexts(where));
    case 'phase':
      return only(phaseNames().map(plain));
    case 'command':
      return only(commandsOf(program));
    case 'code':
      return only(await codes());
    case 'path':
    case 'file':
    case 'dir':
      return { candidates: [], files: true };
    default:
      return only([]);
  }
}

/** The name between the brackets of `<release>`, `[path...]`. */
function valueName(target: Option | Argument): string {
  if ('flags' in target) return /[<[]([^>\].=]+)/.exec(target.flags)?.[1] ?? '';
  return target.name();
}

async function objects({ positional, values, source }: Context, partial: string): Promise<readonly Candidate[]> {
  const [kindText] = partial.includes('/') ? partial.split('/') : positional;
  if (kindText === undefined || positional[0]?.includes('/') === true) return partial.includes('/') ? await named() : KIND_CANDIDATES;
  return await named();

  async function named(): Promise<readonly Candidate[]> {
    const kind = kindOf(kindText ?? '');
    if (kind === undefined) return [];
    const names = await source.names(kind, targetIn(values));
    if (!partial.includes('/')) return without(names, positional);
    return names.map(({ value, about }) => ({ value: `${kindText}/${value}`, about }));
  }
}

function targetIn(values: Context['values']): TargetOptions {
  return {
    server: values.get('server'),
    namespace: values.get('namespace'),
    kubeconfig: values.get('kubeconfig'),
    context: values.get('context'),
  };
}

function kindOf(word: string): Kind | undefined {
  try {
    return readKind(word);
  } catch {
    return undefined;
  }
}

function without(candidates: readonly Candidate[], given: readonly string[]): readonly Candidate[] {
  return candidates.filter(({ value }) => !given.includes(value));
}

async function codes(): Promise<readonly Candidate[]> {
  const { CODES } = await import('../../core/diagnostics/codes.ts');
  return Object.entries(CODES).map(([value, { title }]) => ({ value, about: title }));
}
