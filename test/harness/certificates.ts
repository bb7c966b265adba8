import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';

interface Subject {
  /** `DNS:a.test`, `IP:127.0.0.1`, ... */
  readonly names?: readonly string[];
  /** Folder of the authority that signs; default: itself. */
  readonly signer?: string;
}

/**
 * Makes `tls.crt` and `tls.key` in a folder, as a Secret of type kubernetes.io/tls is mounted; each of the two is there at once. Elliptic curves, since
 * they take no time to make.
 */
export function makeCertificate(folder: string, { names = ['IP:127.0.0.1', 'DNS:localhost'], signer }: Subject = {}): void {
  const next = `${folder}.next`;
  mkdirSync(next, { recursive: true });
  mkdirSync(folder, { recursive: true });
  const by = signer === undefined ? [] : ['-CA', join(signer, 'tls.crt'), '-CAkey', join(signer, 'tls.key')];
  const subject = ['-subj', '/CN=perch test', '-addext', `subjectAltName=${names.join(',')}`];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', 'tls.key'];
  execFileSync('openssl', ['req', '-x509', '-days', '30', ...key, ...subject, ...by, '-out', 'tls.crt'], { cwd: next, stdio: 'pipe' });
  for (const name of ['tls.crt', 'tls.key']) renameSync(join(next, name), join(folder, name));
}
