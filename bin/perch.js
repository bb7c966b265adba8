#!/usr/bin/env -S node --disable-warning=ExperimentalWarning
// The one plain-JavaScript file: it must parse on any Node, so that an old one gets a sentence instead of a syntax error.
import { existsSync } from 'node:fs';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(
    `perch needs Node 22.19 or newer, this is ${process.versions.node}: install it from https://nodejs.org, or use the one that npm ci brings on Linux x64 (npx perch).`,
  );
  process.exit(2);
}
// A clone runs its TypeScript as it is; the published package ships dist/ only.
const source = new URL('../src/cli/main.ts', import.meta.url);
const entry = existsSync(source) ? source : new URL('../dist/cli/main.js', import.meta.url);
await import(entry.href);
