/**
 * Node's flags for a process that serves: what the first line of bin/perch.js says, for those that are started otherwise.
 *
 * Without the bound, V8 lets its young generation grow to three times 16 MiB and keeps it, for nothing: requests live for a millisecond
 * (ADR 0032).
 */
export const NODE_FLAGS: readonly string[] = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=4'];
