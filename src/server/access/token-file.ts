import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';

/** What the owner of a token may do: look, or also act. */
export type Role = 'view' | 'act';

/** The tokens of an API, as digests: the tokens themselves are kept nowhere. */
export interface Tokens {
  /** Whose token it is; undefined for one that is not among them. Takes the same time for every token of one length. */
  roleOf(token: string): Role | undefined;
  /** Differs where any byte of the file differs. */
  readonly digest: string;
  /** Whether others than the owner and the group of the file may read it. */
  readonly isReadableByOthers: boolean;
}

/** A token file that cannot be used. The message says where and why, and never what stands there. */
export class TokenFileError extends Error {
  override readonly name = 'TokenFileError';
}

/** Bytes of a token file: more tokens than anybody keeps apart. */
const MOST_BYTES = 64 * 1024;
/** 32 hexadecimal digits are 128 bits. */
const SHORTEST = 32;
const LONGEST = 512;
/** What no random token of that length has fewer of: `openssl rand -hex 16` gives 13.9 of 16 on average. */
const LEAST_DISTINCT = 8;
/** b64token (RFC 6750, section 2.1). */
const TOKEN = /^[\w.~+/-]+=*$/;
const OTHERS_READ = 0o004;

interface Entry {
  readonly role: Role;
  readonly hash: Buffer;
}

/**
 * Reads a token file: a line `view TOKEN` or `act TOKEN` for each token; empty lines and lines that begin with # are passed over.
 * @throws TokenFileError where it cannot be read, a line is neither, a token is too easily guessed or stands twice, or there is none.
 */
export async function readTokens(file: string): Promise<Tokens> {
  const { text, mode } = await read(file);
  const entries: Entry[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const entry = entryOf(line, `line ${index + 1} of ${file}`);
    if (entries.some(({ hash }) => hash.equals(entry.hash))) throw new TokenFileError(`line ${index + 1} of ${file} repeats a token`);
    entries.push(entry);
  }
  if (entries.length === 0) throw new TokenFileError(`${file} has no token: a line is view TOKEN, or act TOKEN`);
  return {
    roleOf: (token) => roleOf(entries, token),
    digest: sha256(text).toString('base64'),
    isReadableByOthers: (mode & OTHERS_READ) !== 0,
  };
}

async function read(file: string): Promise<{ readonly text: string; readonly mode: number }> {
  try {
    const { mode, size } = await stat(file);
    if (size > MOST_BYTES) throw new TokenFileError(`${file} has more than ${MOST_BYTES} bytes`);
    return { text: await readFile(file, 'utf8'), mode };
  } catch (error) {
    if (error instanceof TokenFileError) throw error;
    throw new TokenFileError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function entryOf(line: string, where: string): Entry {
  const [role, token = '', ...rest] = line.trim().split(/\s+/);
  if ((role !== 'view' && role !== 'act') || rest.length > 0) throw new TokenFileError(`${where} is neither view TOKEN nor act TOKEN`);
  if (!TOKEN.test(token)) throw new TokenFileError(`the token in ${where} has characters other than letters, digits and - . _ ~ + / =`);
  if (token.length < SHORTEST || token.length > LONGEST || new Set(token).size < LEAST_DISTINCT) {
    throw new TokenFileError(`the token in ${where} is not ${SHORTEST} to ${LONGEST} random characters; openssl rand -hex 32 makes one`);
  }
  return { role, hash: sha256(token) };
}

/** All are compared, so that the time tells neither which one it is nor how much of it is right. */
function roleOf(entries: readonly Entry[], token: string): Role | undefined {
  const hash = sha256(token);
  let role: Role | undefined;
  for (const entry of entries) if (timingSafeEqual(entry.hash, hash)) role = entry.role;
  return role;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
