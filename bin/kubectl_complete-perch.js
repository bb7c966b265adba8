#!/usr/bin/env -S node --disable-warning=ExperimentalWarning
// How `kubectl perch ...` can go on: kubectl's own completion runs a program of this name that it finds on PATH.
process.argv.splice(2, 0, '__kubectl', '__complete');
await import('./perch.js');
