import { readFileSync } from 'node:fs';

/** The version in package.json, two directories up from both src/cli and dist/cli. */
export function perchVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** What `perch version` says to people. */
export function versionLine(): string {
  return `perch ${perchVersion()} (Node ${process.versions.node})`;
}
