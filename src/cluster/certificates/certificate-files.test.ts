import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeSelfSigned } from '../../../test/harness/self-signed.ts';
import { type Certificate, CertificateError, filesOfSecret, keepCertificate, readCertificate } from './certificate-files.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'perch-certificate-'));
  makeSelfSigned(folder);
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a certificate and its key are read, and a change of either tells', async () => {
  const files = filesOfSecret(folder);
  const first = await readCertificate(files);
  expect(first.cert).toEqual(readFileSync(files.cert));
  expect(first.validUntil).toBeGreaterThan(Date.now());
  expect((await readCertificate(files)).digest).toBe(first.digest);
  makeSelfSigned(folder);
  expect((await readCertificate(files)).digest).not.toBe(first.digest);
});

test('what cannot be used is refused, with the name of the file', async () => {
  const files = filesOfSecret(folder);
  await expect(readCertificate({ ...files, key: join(folder, 'none') })).rejects.toThrow(/\/none cannot be read: ENOENT/);
  writeFileSync(files.key, 'no key');
  await expect(readCertificate(files)).rejects.toThrow(CertificateError);
  await expect(readCertificate(files)).rejects.toThrow(/tls\.crt and .*tls\.key are no certificate with its key/);
});

test('the end of a certificate is said, in the words of who shows it', async () => {
  const said: string[] = [];
  const taken: Certificate[] = [];
  const files = filesOfSecret(folder);
  const first = await readCertificate(files);
  const stop = new AbortController();
  const kept = keepCertificate(
    { ...first, validUntil: 0, digest: 'another' },
    {
      files,
      owner: 'the API',
      whenOver: 'clients refuse it',
      rereadMs: 5,
      onChange: (next) => taken.push(next),
      log: { info: (line) => said.push(line), warn: (line) => said.push(`warning: ${line}`) },
      signal: stop.signal,
    },
  );
  await expect.poll(() => said.length).toBe(2);
  stop.abort();
  await kept;
  expect(said[0]).toBe('warning: the API’s certificate ended at 1970-01-01T00:00:00.000Z: clients refuse it until it is renewed');
  expect(said[1]).toMatch(/^the API’s certificate is valid until /);
  expect(taken.map(({ digest }) => digest)).toEqual([first.digest]);
});
