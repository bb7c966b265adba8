import { readFileSync } from 'node:fs';

/** CPU time, in seconds. */
export interface CpuTime {
  readonly user: number;
  readonly system: number;
}

/** Linux counts in hundredths of a second for user space (USER_HZ), on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;

function processAndChildren(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return [pid, ...(children === '' ? [] : children.split(' ').flatMap((child) => processAndChildren(Number(child))))];
}

/** The processes that a process started and that run. */
export function childProcesses(pid: number): readonly number[] {
  return processAndChildren(pid).slice(1);
}

function timeOf(pid: number): CpuTime {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field, the name in parentheses, may contain spaces: count behind it, where the third field is first.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { user: Number(fields[11]) / TICKS_PER_SECOND, system: Number(fields[12]) / TICKS_PER_SECOND };
}

/**
 * CPU time that a process, all its threads, and its child processes (nginx's workers) have used so far:
 * utime and stime of /proc/PID/stat, proc(5).
 */
export function cpuTime(pid: number): CpuTime {
  const times = processAndChildren(pid).map(timeOf);
  return { user: times.reduce((sum, { user }) => sum + user, 0), system: times.reduce((sum, { system }) => sum + system, 0) };
}

/** Seconds of CPU that a process has used so far, with its threads and without its children. */
export function ownCpuTime(pid: number): number {
  const { user, system } = timeOf(pid);
  return user + system;
}

/** Resident memory of a process and its children, or without them, in MiB (VmRSS). */
export function residentMemory(pid: number, withChildren = true): number {
  const sizes = (withChildren ? processAndChildren(pid) : [pid]).map(
    (id) => /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1] ?? '0',
  );
  return sizes.reduce((sum, size) => sum + Number(size), 0) / 1024;
}

/** The most resident memory that a process had so far, in MiB (VmHWM). */
export function peakMemory(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0') / 1024;
}

/**
 * Seconds that a core has worked on behalf of processes, and those that the hypervisor kept from it: user, nice, system, irq, softirq and
 * steal of its line in `stat`, the text of /proc/stat, proc(5). The interrupts belong to it: Linux adds their time to the process that
 * they interrupt (unless it is built with IRQ_TIME_ACCOUNTING), so without them a busy proxy would hide what others took.
 */
export function coreTime(core: number, stat = readFileSync('/proc/stat', 'utf8')): number {
  const line = stat.split('\n').find((text) => text.startsWith(`cpu${core} `));
  const [, user, nice, system, , , irq, softirq, steal] = (line ?? '').split(' ').map(Number);
  return ((user ?? 0) + (nice ?? 0) + (system ?? 0) + (irq ?? 0) + (softirq ?? 0) + (steal ?? 0)) / TICKS_PER_SECOND;
}
