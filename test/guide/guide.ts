/** A part of a guide that a reader does something with. */
export type GuideStep =
  /** A file that the reader saves. */
  | { readonly kind: 'file'; readonly path: string; readonly text: string; readonly line: number }
  /** Commands that the reader types, each with what it prints; `background`: it goes on running, in a terminal of its own. */
  | { readonly kind: 'console'; readonly commands: readonly GuideCommand[]; readonly background: boolean; readonly line: number };

/** One command of a console block, and the lines that it prints there. */
export interface GuideCommand {
  readonly command: string;
  readonly output: readonly string[];
}

/**
 * The steps of a guide, in order: fenced blocks of code with a second word behind their language are files of that name, and those in
 * the language `console` are commands (`$ ...`) with their output. Other blocks are only to be read. Lines count from 1.
 */
export function stepsOf(markdown: string): readonly GuideStep[] {
  const steps: GuideStep[] = [];
  for (const match of markdown.matchAll(/^```(\w+) ?([^\n]*)\n([\s\S]*?)^```$/gm)) {
    const [, language, word = '', body = ''] = match;
    const line = markdown.slice(0, match.index).split('\n').length;
    if (language === 'console') steps.push({ kind: 'console', commands: commandsOf(body), background: word === 'background', line });
    else if (word !== '') steps.push({ kind: 'file', path: word, text: body, line });
  }
  return steps;
}

function commandsOf(body: string): readonly GuideCommand[] {
  const commands: { command: string; output: string[] }[] = [];
  for (const line of body.trimEnd().split('\n')) {
    if (line.startsWith('$ ')) commands.push({ command: line.slice(2), output: [] });
    else commands.at(-1)?.output.push(line);
  }
  return commands;
}
