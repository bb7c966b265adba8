import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** The processes that a process started and that run, on Linux; the workers, of a `perch serve --workers N`. */
export function childrenOf(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

/** Whether a process is there, and not only waiting to be forgotten. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Connections that a process has from clients at a port of this machine. */
export function connectionsOf(pid: number, port: number): number {
  const folder = `/proc/${pid}/fd`;
  const links = readdirSync(folder).map((name) => {
    try {
      return readlinkSync(`${folder}/${name}`);
    } catch {
      return '';
    }
  });
  const own = new Set(links);
  return establishedAt(port).filter((inode) => own.has(`socket:[${inode}]`)).length;
}

const ESTABLISHED = '01';

/** Inodes of the sockets at a port (proc_net_tcp). */
function establishedAt(port: number): readonly string[] {
  const lines = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => readFileSync(file, 'utf8').split('\n').slice(1));
  return lines.flatMap((line) => {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
    return state === ESTABLISHED && Number.parseInt(local.split(':')[1] ?? '', 16) === port ? [inode] : [];
  });
}
