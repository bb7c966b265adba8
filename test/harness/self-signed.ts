import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const GUIDE = fileURLToPath(new URL('../../docs/guides/webhook.md', import.meta.url));
/** The name for which the guide makes the certificate. */
const NAMED = 'DNS:perch-webhook.perch-system.svc';

/** Makes `tls.crt` and `tls.key` in a folder with the command of docs/guides/webhook.md, but for 127.0.0.1; the certificate is its own authority. */
export function makeSelfSigned(folder: string): void {
  const command = /^openssl req (?:.*\\\n)*.*$/m.exec(readFileSync(GUIDE, 'utf8'))?.[0];
  if (command?.includes(NAMED) !== true) throw new Error('docs/guides/webhook.md makes no certificate');
  const next = `${folder}.next`;
  mkdirSync(next, { recursive: true });
  execFileSync('sh', ['-ec', command.replace(NAMED, 'IP:127.0.0.1')], { cwd: next, stdio: ['ignore', 'ignore', 'pipe'] });
  mkdirSync(folder, { recursive: true });
  for (const name of ['tls.crt', 'tls.key']) renameSync(`${next}/${name}`, `${folder}/${name}`);
}
