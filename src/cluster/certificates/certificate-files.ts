import { createHash, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext } from 'node:tls';

/** Where a certificate with its chain is, and where its key: PEM files. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** `tls.crt` and `tls.key` of a folder, as a Secret of type kubernetes.io/tls is mounted. */
export function filesOfSecret(folder: string): CertificateFiles {
  return { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
}

/** A certificate with its chain, and its key, both in PEM. */
export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** End of its validity, in ms since the epoch. */
  readonly validUntil: number;
  /** Differs where any byte of the two differs. */
  readonly digest: string;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Certificate files that cannot be used. The message names the file and says why. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
}

/**
 * Reads a certificate and its key.
 * @throws CertificateError where one is missing or none, or they do not belong together, as in the middle of a change.
 */
export async function readCertificate(files: CertificateFiles): Promise<Certificate> {
  // One after the other: of two that are missing always the same is named.
  const cert = await read(files.cert);
  const key = await read(files.key);
  try {
    createSecureContext({ cert, key });
    const validUntil = Date.parse(new X509Certificate(cert).validTo);
    return { cert, key, validUntil, digest: createHash('sha256').update(cert).update('\0').update(key).digest('hex') };
  } catch (error) {
    throw new CertificateError(`${files.cert} and ${files.key} are no certificate with its key: ${messageOf(error)}`, { cause: error });
  }
}

/** Where it is said what happens to a certificate, in lines for people. */
interface CertificateLog {
  info(message: string): void;
  warn(message: string): void;
}

/** Who is told of a certificate in place of the one before. */
interface CertificateKeeping {
  readonly files: CertificateFiles;
  /** Who shows it, for people: `the webhook`. */
  readonly owner: string;
  /** What its end means, in a clause: `no apiserver asks`. */
  readonly whenOver: string;
  /** How often the files are looked at, in ms. */
  readonly rereadMs: number;
  readonly onChange: (next: Certificate) => void;
  readonly log: CertificateLog;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/**
 * Looks at the files again and again: watching them would miss how a mounted Secret changes, by a link in another folder. A change that is not
 * complete yet, or that is of no use, is passed over, and said once: the certificate before it goes on. So is the end of its validity.
 */
export async function keepCertificate(first: Certificate, keeping: CertificateKeeping): Promise<void> {
  const { files, owner, rereadMs, onChange, log, signal } = keeping;
  let current = first;
  let [validity, complaint] = [say(validityOf(first, keeping), log), ''];
  for (;;) {
    await sleep(rereadMs, undefined, { signal, ref: false }).catch(() => undefined);
    const next = await readCertificate(files).catch(messageOf);
    if (signal.aborted) return;
    const isNew = typeof next !== 'string' && next.digest !== current.digest;
    if (isNew) {
      onChange(next);
      current = next;
    }
    const now = validityOf(current, keeping);
    if (isNew || now.kind !== validity) validity = say(now, log);
    if (typeof next === 'string' && next !== complaint) log.warn(`${owner} goes on with the certificate that it has: ${next}`);
    complaint = typeof next === 'string' ? next : '';
  }
}

interface Validity {
  readonly kind: 'valid' | 'soon' | 'over';
  readonly said: string;
}

function say({ kind, said }: Validity, log: CertificateLog): Validity['kind'] {
  if (kind === 'valid') log.info(said);
  else log.warn(said);
  return kind;
}

function validityOf({ validUntil }: Certificate, { owner, whenOver }: CertificateKeeping): Validity {
  const [left, date] = [validUntil - Date.now(), new Date(validUntil).toISOString()];
  if (left <= 0) return { kind: 'over', said: `${owner}’s certificate ended at ${date}: ${whenOver} until it is renewed` };
  if (left < DAY_MS) return { kind: 'soon', said: `${owner}’s certificate ends at ${date}: renew it` };
  return { kind: 'valid', said: `${owner}’s certificate is valid until ${date}` };
}

async function read(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new CertificateError(`${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
