import type { Finding } from '../source/finding.ts';
import { type FieldPath, formatPath } from '../source/locate.ts';
import type { GatewayServer, ServerTLSSettings } from './resources.ts';

/** Cipher suites of TLS 1.2 that Istio accepts and today's OpenSSL still has (istio pkg/security IsValidCipherSuite). TLS 1.3 has its own, always. */
export const CIPHER_SUITES = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-SHA',
  'ECDHE-RSA-AES128-SHA',
  'ECDHE-ECDSA-AES256-SHA',
  'ECDHE-RSA-AES256-SHA',
  'AES128-GCM-SHA256',
  'AES256-GCM-SHA384',
  'AES128-SHA',
  'AES256-SHA',
] as const;

/** Name of a Secret: a DNS subdomain, so also the name of a folder, and never a path. */
export const CREDENTIAL_NAME = /^(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

/** Whether a server of a Gateway speaks HTTP over TLS. */
export function isHttps({ port }: GatewayServer): boolean {
  return port.protocol.toUpperCase() === 'HTTPS';
}

/** Rules over `tls` of a server (istio validateServer, validateTLSOptions), and what its values mean that the embedded gateway does not support. */
export function serverTlsFindings(server: GatewayServer, at: FieldPath): readonly Finding[] {
  const { tls } = server;
  const path = [...at, 'tls'];
  if (tls === undefined) return isHttps(server) ? [invalid(path, 'an HTTPS server needs TLS settings', 'add mode and a certificate')] : [];
  return isHttps(server) ? httpsFindings(tls, path) : plainFindings(tls, path);
}

function invalid(path: FieldPath, message: string, hint: string): Finding {
  return { code: 'PERCH1104', path, message: `${formatPath(path)}: ${message}`, hint };
}

function plainFindings(tls: ServerTLSSettings, path: FieldPath): readonly Finding[] {
  return Object.keys(tls)
    .filter((field) => field !== 'httpsRedirect')
    .map((field) => invalid([...path, field], 'a server without TLS can have httpsRedirect only', 'remove it, or write protocol: HTTPS'));
}

function httpsFindings(tls: ServerTLSSettings, path: FieldPath): readonly Finding[] {
  const findings: Finding[] = [];
  if (tls.mode === undefined) {
    const field = [...path, 'mode'];
    const message = `${formatPath(field)} is PASSTHROUGH where it is not written, which is not supported yet by the embedded gateway`;
    findings.push({ code: 'PERCH1301', path: field, message, hint: 'write mode: SIMPLE, or MUTUAL' });
  }
  if (tls.httpsRedirect === true) {
    const field = [...path, 'httpsRedirect'];
    findings.push({ ...invalid(field, 'it has no effect on an HTTPS server', 'write it at the server without TLS'), severity: 'warning' });
  }
  if (tls.minProtocolVersion === 'TLSV1_3' && tls.maxProtocolVersion === 'TLSV1_2') {
    findings.push(invalid([...path, 'maxProtocolVersion'], 'it is older than minProtocolVersion', 'correct one of them'));
  }
  return [...findings, ...certificateFindings(tls, path)];
}

function certificateFindings(tls: ServerTLSSettings, path: FieldPath): readonly Finding[] {
  const { credentialName, serverCertificate, privateKey, caCertificates, mode } = tls;
  if (credentialName !== undefined) {
    if (serverCertificate === undefined || privateKey === undefined) return [];
    return [invalid([...path, 'credentialName'], 'serverCertificate and privateKey are there, too', 'keep one of the two forms')];
  }
  const findings: Finding[] = [];
  const want = (field: string, what: string): void => {
    findings.push(invalid([...path, field], `${what} is needed`, 'name the file, or write credentialName'));
  };
  if (serverCertificate === undefined) want('serverCertificate', 'a certificate');
  if (privateKey === undefined) want('privateKey', 'the certificate’s private key');
  if (mode === 'MUTUAL' && caCertificates === undefined) want('caCertificates', 'an authority for certificates of clients');
  return findings;
}
