import { readFileSync } from 'node:fs';
import { runCli } from '../src/cli/run-cli.ts';
import { silentTerminal } from '../src/cli/terminal/silent-terminal.ts';
import { ROOT } from './repository.ts';

/** The page that compares the schemes; written by hand, but for what its commands print. */
export const HOW_IT_WORKS = 'docs/how-it-works.md';

/** What a perch command prints in a pipe of 80 columns. */
async function printed(args: readonly string[]): Promise<string> {
  let text = '';
  const add = (more: string): void => {
    text += more;
  };
  const terminal = silentTerminal({ out: (line) => add(`${line}\n`), raw: add, err: (line) => add(`${line}\n`) });
  const context = { terminal, signal: new AbortController().signal, environment: {}, runsUntilEnded: () => {} };
  const code = await runCli(args, context);
  if (code !== 0) throw new Error(`perch ${args.join(' ')} ended with ${code}: ${text}`);
  return text;
}

/** The page with each block that begins with `$ npx perch ...` followed by what that prints now. */
export async function howItWorks(): Promise<string> {
  const page = readFileSync(`${ROOT}/${HOW_IT_WORKS}`, 'utf8');
  const blocks = page.split(/(?<=\n)(?=```)/);
  const written = blocks.map(async (block) => {
    const [, head = '', command] = /^(```\n\$ npx perch (.*)\n)/.exec(block) ?? [];
    return command === undefined ? block : `${head}${await printed(command.split(' '))}`;
  });
  return (await Promise.all(written)).join('');
}

/** The page's picture: `perch simulate -o svg`. */
export async function exposurePicture(): Promise<string> {
  return await printed(['simulate', '-o', 'svg']);
}
