import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Paths of a certificate for 127.0.0.1 in PEM. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
  /** Both in one file, as HAProxy wants them. */
  readonly both: string;
}

/** Makes the certificate that all proxies show (P-256, as most sites have now), in a folder that goes with this process. */
export function makeCertificate(): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'perch-bench-tls-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const [certificate, key, both] = ['tls.crt', 'tls.key', 'both.pem'].map((name) => join(folder, name)) as [string, string, string];
  const algorithm = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const subject = ['-days', '2', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync('openssl', ['req', '-x509', ...algorithm, ...subject, '-keyout', key, '-out', certificate], { stdio: 'pipe' });
  writeFileSync(both, readFileSync(certificate, 'utf8') + readFileSync(key, 'utf8'));
  return { certificate, key, both };
}
