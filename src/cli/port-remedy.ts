import type { ListenError } from '../server/listen-error.ts';
import { CommandError } from './command-error.ts';

/** A port that could not be opened, with the way out that the command offers. */
export function portRemedy(error: ListenError, remedy: string): CommandError {
  return new CommandError(`${error.message}: ${error.message.includes('in use') ? 'stop it, or run' : 'run'} ${remedy}`);
}

/** A port next to one that is taken, for a suggestion: 8080 -> 8090, and back from the highest. */
export function otherPort(port: number): number {
  return port + 10 <= 65_535 ? port + 10 : port - 10;
}
