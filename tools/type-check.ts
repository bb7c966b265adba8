import { globSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import type { Findings } from './architecture.ts';
import { ROOT, TSC, typeScriptFiles } from './repository.ts';
import { runCommand } from './run-command.ts';

/** Files that the compiler's own records say it has checked, as paths from `root`. */
function checkedFiles(root: string): ReadonlySet<string> {
  const checked = new Set<string>();
  for (const record of globSync('dist/{*/,}.*tsbuildinfo', { cwd: root })) {
    const path = resolve(root, record);
    const { fileNames } = JSON.parse(readFileSync(path, 'utf8')) as { fileNames?: readonly string[] };
    for (const name of fileNames ?? []) checked.add(relative(root, resolve(dirname(path), name)));
  }
  return checked;
}

/** Compiles all layers, then type-checks tests, tools and benches; insists that no TypeScript file was left out. */
export async function checkTypes(root: string = ROOT): Promise<Findings> {
  const files = typeScriptFiles(root);
  const result = await runCommand(process.execPath, [TSC, '-b', '--pretty', 'false'], { cwd: root });
  if (result.code !== 0) return { ok: false, text: result.output };
  const checked = checkedFiles(root);
  const missed = files.filter((file) => !checked.has(file));
  if (missed.length === 0) return { ok: true, text: '' };
  return { ok: false, text: `No tsconfig.json includes these files, so nobody checks them:\n${missed.join('\n')}\n` };
}
