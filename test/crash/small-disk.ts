import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/**
 * A disk of its own at a directory, mounted in a mount namespace of its own: nobody else sees it, and it goes with its last process,
 * however this one ends.
 */
export interface SmallDisk {
  /** For PerchProcess: runs a command where the disk is mounted. */
  readonly within: readonly string[];
  /** Runs a command there; gives its output. */
  run(command: string, ...args: readonly string[]): string;
  /** Where this process finds a file of the disk. */
  path(name: string): string;
  /** Takes the last byte. */
  fill(): void;
  /** Gives back what `fill` took. */
  empty(): void;
  close(): Promise<void>;
}

const FILLER = 'filler';
/** util-linux: a command in a mount namespace of its own. */
const IN_NAMESPACE = ['unshare', '-m'] as const;

/** What keeps this machine from mounting, in words; undefined where it can. */
export function whyNotMountable(...mount: readonly string[]): string | undefined {
  if (process.platform !== 'linux') return 'only Linux has mount namespaces';
  try {
    execFileSync(IN_NAMESPACE[0], [IN_NAMESPACE[1], 'sh', '-ec', mount.join(' ')], { encoding: 'utf8', stdio: 'pipe' });
    return undefined;
  } catch (error) {
    const { stderr } = error as { readonly stderr?: string };
    return `${stderr || error}`.trim().split('\n').at(-1) ?? '';
  }
}

/** Runs `mount`, a shell command, in a new mount namespace and keeps that. `directory` is where the disk appears. */
export async function mountSmallDisk(directory: string, mount: string): Promise<SmallDisk> {
  const holder = spawn(IN_NAMESPACE[0], [IN_NAMESPACE[1], 'sh', '-ec', `${mount}; echo mounted; exec cat`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [said] = (await Promise.race([once(holder.stdout, 'data'), once(holder, 'close')])) as [Buffer | number];
  if (String(said) !== 'mounted\n') throw new Error(`not mounted: ${mount} ended with ${said}`);
  const within = ['nsenter', '-t', String(holder.pid), '-m'];
  const root = `/proc/${holder.pid}/root`;
  const path = (name: string): string => join(root, directory, name);
  return {
    within,
    path,
    run: (command, ...args) => execFileSync(within[0] ?? '', [...within.slice(1), command, ...args], { encoding: 'utf8', stdio: 'pipe' }),
    fill: () => {
      // Down to single bytes: a disk with room for a page is not full.
      for (let size = 1024 * 1024; size >= 1; size = Math.floor(size / 2)) {
        try {
          for (;;) writeFileSync(path(FILLER), Buffer.alloc(size), { flag: 'a' });
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        }
      }
    },
    empty: () => rmSync(path(FILLER)),
    close: async () => {
      holder.stdin.end();
      if (holder.exitCode === null) await once(holder, 'close');
    },
  };
}

/** A file system in memory, of so many MiB. */
export function tmpfs(directory: string, mib: number): string {
  return `mount -t tmpfs -o size=${mib}m perch-test '${directory}'`;
}

/** An ext4 of 4 MiB in the file `image`, which turns read-only at its first error, as systems' disks commonly do. */
export function ext4(directory: string, image: string): string {
  return `truncate -s 4M '${image}'; mkfs.ext4 -q '${image}'; mount -o loop,errors=remount-ro '${image}' '${directory}'`;
}

/** Tells the kernel that the ext4 is damaged. Files that are open for writing stay open; the kernel takes no more writes. */
export function breakExt4(disk: SmallDisk, directory: string): void {
  const device = basename(disk.run('findmnt', '-no', 'SOURCE', directory).trim());
  const trigger = `/sys/fs/ext4/${device}/trigger_fs_error`;
  // Exists in every kernel since 2.6.36.
  readFileSync(`/sys/fs/ext4/${device}/errors_count`);
  writeFileSync(trigger, 'test');
}
