import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';

/** Of the time in which a process gets its share, in microseconds: short, so that a process that has used it up is not away for long. */
const PERIOD_US = 20_000;
const V1 = '/sys/fs/cgroup/cpu';
const V2 = '/sys/fs/cgroup';

/** Where groups are made; undefined where this machine has none, or does not let this user make them. */
function groupRoot(): string | undefined {
  const root = existsSync(`${V1}/cgroup.procs`) ? V1 : V2;
  const probe = `${root}/perch-bench-probe-${process.pid}`;
  try {
    if (root === V2) writeFileSync(`${V2}/cgroup.subtree_control`, '+cpu');
    mkdirSync(probe);
    rmdirSync(probe);
    return root;
  } catch {
    return undefined;
  }
}

/**
 * Lets each of these processes have no more than `share` of a core (cgroups, their bandwidth control). Gives the way to take that back; undefined
 * where it cannot be done here: it takes root.
 */
export function capCpu(pids: readonly number[], share: number): (() => void) | undefined {
  const root = groupRoot();
  if (root === undefined) return undefined;
  const groups = pids.map((pid) => {
    const group = `${root}/perch-bench-${pid}`;
    mkdirSync(group);
    const quota = Math.round(PERIOD_US * share);
    if (root === V1) {
      writeFileSync(`${group}/cpu.cfs_period_us`, String(PERIOD_US));
      writeFileSync(`${group}/cpu.cfs_quota_us`, String(quota));
    } else {
      writeFileSync(`${group}/cpu.max`, `${quota} ${PERIOD_US}`);
    }
    writeFileSync(`${group}/cgroup.procs`, String(pid));
    return group;
  });
  return () => {
    for (const pid of pids) writeFileSync(`${root}/cgroup.procs`, String(pid));
    for (const group of groups) rmdirSync(group);
  };
}
