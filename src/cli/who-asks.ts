import { hostname, userInfo } from 'node:os';
import { Option } from 'commander';

/** `--by`, of commands that change something. */
export function byOption(): Option {
  return new Option('--by <who>', 'who asks, for the record (default: you, on this machine)');
}

/** Who asks, as far as this machine knows. */
export function whoAsks(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    // A user id without an entry in the password file, as in many containers.
    return `uid ${process.getuid?.() ?? '?'}@${hostname()}`;
  }
}
