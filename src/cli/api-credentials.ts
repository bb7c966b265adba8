import { readFile } from 'node:fs/promises';
import { setDefaultCACertificates } from 'node:tls';
import { CommandError } from './command-error.ts';

/** What a command shows an embedded runtime, and by whom that has to be vouched for. */
export interface ApiCredentials {
  /** A file with one token. */
  readonly tokenFile?: string | undefined;
  /** Certificates of authorities, in PEM, in place of the system's. */
  readonly caFile?: string | undefined;
}

/** Longest line of a token file that is looked at, in characters. */
const LONGEST = 600;

/** The token of a file: a line of its own, or a line `view TOKEN` or `act TOKEN` as the runtime's file has them. Throws CommandError. */
export async function readTokenFile(file: string): Promise<string> {
  const lines = (await read(file)).split('\n').map((line) => line.trim());
  const [line = '', ...more] = lines.filter((each) => each !== '' && !each.startsWith('#'));
  if (more.length > 0) throw new CommandError(`${file} has more than one token: keep the one to use in a file of its own`);
  const token = /^(?:(?:view|act)\s+)?([\w.~+/-]+=*)$/.exec(line.slice(0, LONGEST))?.[1];
  if (token === undefined) throw new CommandError(`${file} has no token: a line of letters, digits and - . _ ~ + / =`);
  return token;
}

/**
 * From now on this process trusts the authorities of that file, and no others: `fetch` takes no authorities for a single call.
 * Throws CommandError.
 */
export async function trustOnly(caFile: string): Promise<void> {
  const text = await read(caFile);
  try {
    setDefaultCACertificates([text]);
  } catch (error) {
    throw new CommandError(`${caFile} has no certificate in PEM: ${messageOf(error)}`);
  }
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new CommandError(`${file} cannot be read: ${messageOf(error)}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
