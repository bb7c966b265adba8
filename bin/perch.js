#!/usr/bin/env -S node --disable-warning=ExperimentalWarning --max-semi-space-size=4
// The flags of the line above are those of src/server/node-flags.ts.
// The one plain-JavaScript file: it must parse on any Node, so that an old one gets a sentence instead of a syntax error.
import { existsSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(
    `perch needs Node 22.19 or newer, this is ${process.versions.node}: install it from https://nodejs.org, or use the one that npm ci brings on Linux x64 (npx perch).`,
  );
  process.exit(2);
}
// What Node makes of the source (types stripped, compiled) is kept for the next start, which takes less than half the time then. Not where
// Node would keep it, in the folder for temporary files: code from there could be somebody else's. Without a folder to write to, nothing is kept.
module.enableCompileCache(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'perch', 'compiled'));
// A clone runs its TypeScript as it is; the published package ships dist/ only.
const source = new URL('../src/cli/main.ts', import.meta.url);
const entry = existsSync(source) ? source : new URL('../dist/cli/main.js', import.meta.url);
await import(entry.href);
