#!/usr/bin/env -S node --disable-warning=ExperimentalWarning
// `kubectl perch`: kubectl runs a program of this name that it finds on PATH. The word is what src/cli/run-process.ts looks for.
process.argv.splice(2, 0, '__kubectl');
await import('./perch.js');
