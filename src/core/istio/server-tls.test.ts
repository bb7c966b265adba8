import { expect, test } from 'vitest';
import { manifestFindings } from '../../../test/harness/manifest-findings.ts';

/** What is found in a Gateway with one server of `protocol`. */
function found(protocol: string, tls: string): readonly string[] {
  return manifestFindings(`
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge}
spec: {servers: [{port: {number: 443, name: a, protocol: ${protocol}}, hosts: ["*"]${tls && `, tls: ${tls}`}}]}
`).map(({ code, severity, path = '' }) => `${code} ${severity} ${path.replace('spec.servers[0].', '')}`);
}

test.each([
  '{mode: SIMPLE, credentialName: shop}',
  '{mode: MUTUAL, credentialName: shop.example, minProtocolVersion: TLSV1_2, maxProtocolVersion: TLSV1_3}',
  '{mode: SIMPLE, serverCertificate: /a.crt, privateKey: /a.key, cipherSuites: [ECDHE-RSA-AES128-GCM-SHA256]}',
  '{mode: MUTUAL, serverCertificate: /a.crt, privateKey: /a.key, caCertificates: /ca.crt, minProtocolVersion: TLS_AUTO}',
])('an HTTPS server with %s', (tls) => {
  expect(found('HTTPS', tls)).toEqual([]);
  expect(found('https', tls)).toEqual([]);
});

test('a server without TLS may redirect', () => {
  expect(found('HTTP', '{httpsRedirect: true}')).toEqual([]);
  expect(found('HTTP', '{httpsRedirect: false}')).toEqual([]);
});

test.each([
  ['HTTPS', '', ['PERCH1104 error tls']],
  ['HTTPS', '{credentialName: a}', ['PERCH1301 error tls.mode']],
  ['HTTPS', '{mode: SIMPLE}', ['PERCH1104 error tls.serverCertificate', 'PERCH1104 error tls.privateKey']],
  ['HTTPS', '{mode: MUTUAL, serverCertificate: a, privateKey: b}', ['PERCH1104 error tls.caCertificates']],
  ['HTTPS', '{mode: SIMPLE, credentialName: a, serverCertificate: b, privateKey: c}', ['PERCH1104 error tls.credentialName']],
  ['HTTPS', '{mode: SIMPLE, credentialName: ../a}', ['PERCH1103 error tls.credentialName']],
  ['HTTPS', '{mode: SIMPLE, credentialName: a/b}', ['PERCH1103 error tls.credentialName']],
  ['HTTPS', '{mode: SIMPLE, credentialName: ".."}', ['PERCH1103 error tls.credentialName']],
  ['HTTPS', '{mode: PASSTHROUGH}', ['PERCH1301 error tls.mode']],
  ['HTTPS', '{mode: ISTIO_MUTUAL}', ['PERCH1301 error tls.mode']],
  ['HTTPS', '{mode: OPTIONAL_MUTUAL, credentialName: a}', ['PERCH1301 error tls.mode']],
  ['HTTPS', '{mode: simple, credentialName: a}', ['PERCH1103 error tls.mode']],
  ['HTTPS', '{mode: SIMPLE, credentialName: a, minProtocolVersion: TLSV1_0}', ['PERCH1301 error tls.minProtocolVersion']],
  ['HTTPS', '{mode: SIMPLE, credentialName: a, minProtocolVersion: TLS13}', ['PERCH1103 error tls.minProtocolVersion']],
  [
    'HTTPS',
    '{mode: SIMPLE, credentialName: a, minProtocolVersion: TLSV1_3, maxProtocolVersion: TLSV1_2}',
    ['PERCH1104 error tls.maxProtocolVersion'],
  ],
  ['HTTPS', '{mode: SIMPLE, credentialName: a, cipherSuites: [RC4-SHA]}', ['PERCH1103 error tls.cipherSuites[0]']],
  ['HTTPS', '{mode: SIMPLE, credentialName: a, cipherSuites: [DES-CBC3-SHA]}', ['PERCH1301 error tls.cipherSuites[0]']],
  ['HTTPS', '{mode: SIMPLE, credentialName: a, subjectAltNames: [b]}', ['PERCH1301 error tls.subjectAltNames']],
  ['HTTPS', '{mode: SIMPLE, credentialName: a, httpsRedirect: true}', ['PERCH1104 warning tls.httpsRedirect']],
  ['HTTP', '{mode: SIMPLE, credentialName: a}', ['PERCH1104 error tls.mode', 'PERCH1104 error tls.credentialName']],
])('%s with %s', (protocol, tls, findings) => {
  expect(found(protocol, tls)).toEqual(findings);
});
