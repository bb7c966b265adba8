import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Writes a bench's results to `results/DATE.md` in its folder, under a title; a later run of the same day replaces it. Gives the path. */
export function recordResults(bench: URL, title: string, text: string): string {
  const folder = new URL('results/', bench);
  mkdirSync(folder, { recursive: true });
  const day = new Date().toISOString().slice(0, 10);
  const file = new URL(`${day}.md`, folder);
  writeFileSync(file, `# ${title}, ${day}\n\n${text}`);
  return fileURLToPath(file);
}
