import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext } from 'node:tls';
import {
  type Certificate,
  CertificateError,
  type CertificateFiles,
  filesOfSecret,
  keepCertificate,
  readCertificate,
} from '../../cluster/certificates/certificate-files.ts';
import type { TlsServer } from '../../core/routing/tls-server.ts';

/** Where it is said what happens to certificates, in lines for people. */
export interface CredentialLog {
  info(message: string): void;
  warn(message: string): void;
}

/** How credentials are found and kept. */
export interface CredentialOptions {
  /** Folder of those that are named: NAME/tls.crt, NAME/tls.key, NAME/ca.crt, as Secrets are mounted; undefined: there is none. */
  readonly folder: string | undefined;
  /** How often files are looked at, in ms. */
  readonly rereadMs: number;
  readonly log: CredentialLog;
}

/** What a server shows, and whom it believes. */
export interface Credential {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Authorities of clients, in PEM; undefined where clients show no certificate. */
  readonly ca: Buffer | undefined;
}

/**
 * Reads the credential of a TLS server, and looks at its files again and again. `onChange` is told of the first one and of each other one that
 * is complete; until then, and where it is of no use, nothing is told but the log, once. Resolves when the first try is over.
 */
export async function keepCredential(
  server: TlsServer,
  { folder, rereadMs, log }: CredentialOptions,
  onChange: (credential: Credential) => void,
  signal: AbortSignal,
): Promise<void> {
  const files = filesOf(server, folder);
  if (typeof files === 'string') {
    log.warn(`${server.title} refuses connections: ${files} (PERCH4075)`);
    return;
  }
  const kept = new KeptFiles(server, files, { rereadMs, log, onChange, signal });
  const first = await kept.tryFirst();
  void kept.goOn(first);
}

interface Files extends CertificateFiles {
  readonly ca: string | undefined;
}

function filesOf({ source, mutual }: TlsServer, folder: string | undefined): Files | string {
  if (!('credentialName' in source)) {
    return { cert: source.certificate, key: source.privateKey, ca: mutual ? source.authorities : undefined };
  }
  if (folder === undefined) return `there is no folder with the credential ${source.credentialName}: name it with --credentials`;
  const own = join(folder, source.credentialName);
  return { ...filesOfSecret(own), ca: mutual ? join(own, 'ca.crt') : undefined };
}

interface Keeping {
  readonly rereadMs: number;
  readonly log: CredentialLog;
  readonly onChange: (credential: Credential) => void;
  readonly signal: AbortSignal;
}

/** The files of one server. */
class KeptFiles {
  private readonly server: TlsServer;
  private readonly files: Files;
  private readonly keeping: Keeping;
  private complaint = '';
  private caDigest = '';
  /** Nobody was told of the certificate that is there: the authorities could not be read. */
  private owes = false;

  constructor(server: TlsServer, files: Files, keeping: Keeping) {
    this.server = server;
    this.files = files;
    this.keeping = keeping;
  }

  async tryFirst(): Promise<Certificate | undefined> {
    try {
      const certificate = await readCertificate(this.files);
      this.tell(certificate, await this.readAuthorities());
      return certificate;
    } catch (error) {
      this.complain(error, 'refuses connections');
      return undefined;
    }
  }

  async goOn(first: Certificate | undefined): Promise<void> {
    const { rereadMs, signal, log } = this.keeping;
    let current = first;
    while (current === undefined) {
      await this.pause();
      if (signal.aborted) return;
      current = await this.tryFirst();
    }
    const keptCertificate = keepCertificate(current, {
      files: this.files,
      owner: this.server.title,
      whenOver: 'clients refuse it',
      rereadMs,
      log,
      signal,
      onChange: (next) => {
        current = next;
        this.owes = true;
        void this.readAuthorities()
          .then((ca) => this.tell(next, ca))
          .catch((error: unknown) => this.complain(error, 'goes on with what it has'));
      },
    });
    if (this.files.ca !== undefined) await this.keepAuthorities(() => current);
    await keptCertificate;
  }

  private async keepAuthorities(certificate: () => Certificate | undefined): Promise<void> {
    for (;;) {
      await this.pause();
      if (this.keeping.signal.aborted) return;
      try {
        const before = this.caDigest;
        const ca = await this.readAuthorities();
        const current = certificate();
        if ((this.caDigest !== before || this.owes) && current !== undefined) this.tell(current, ca);
        this.complaint = '';
      } catch (error) {
        this.complain(error, 'goes on with what it has');
      }
    }
  }

  private pause(): Promise<void> {
    const { rereadMs, signal } = this.keeping;
    return sleep(rereadMs, undefined, { signal, ref: false }).catch(() => undefined);
  }

  private async readAuthorities(): Promise<Buffer | undefined> {
    const { ca } = this.files;
    if (ca === undefined) return undefined;
    try {
      const pem = await readFile(ca);
      // OpenSSL takes a file without any certificate for an empty list, and then nobody would be believed.
      if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new Error('it holds no certificate');
      createSecureContext({ ca: pem });
      this.caDigest = createHash('sha256').update(pem).digest('hex');
      return pem;
    } catch (error) {
      throw new CertificateError(`${ca} cannot be used: ${messageOf(error)}`, { cause: error });
    }
  }

  private tell({ cert, key }: Certificate, ca: Buffer | undefined): void {
    if (this.keeping.signal.aborted) return;
    this.keeping.onChange({ cert, key, ca });
    this.owes = false;
  }

  private complain(error: unknown, consequence: string): void {
    const complaint = messageOf(error);
    if (complaint === this.complaint || this.keeping.signal.aborted) return;
    this.complaint = complaint;
    this.keeping.log.warn(`${this.server.title} ${consequence}: ${complaint} (PERCH4075)`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
