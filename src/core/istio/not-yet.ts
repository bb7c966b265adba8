import type { FieldPath } from '../source/locate.ts';

/** Of a traffic policy at a path: all but `outlierDetection`, whose fields of local origin come with `splitExternalLocalOriginErrors`. */
function policyFields(path: string): readonly string[] {
  const detection = ['splitExternalLocalOriginErrors', 'consecutiveLocalOriginFailures', 'consecutiveErrors'];
  const policy = ['loadBalancer', 'connectionPool', 'tls', 'portLevelSettings', 'tunnel', 'proxyProtocol', 'retryBudget'];
  return [...policy, ...detection.map((field) => `outlierDetection.${field}`)].map((field) => `${path}.${field}`);
}

/**
 * Fields below `spec` that Istio has (istio/api networking/v1) and the embedded gateway does not interpret yet: known, so no typos, and refused, so never
 * ignored. `*` stands for any list index or map key.
 */
const NOT_YET: Readonly<Record<string, readonly string[]>> = {
  VirtualService: [
    'tcp',
    'tls',
    'http.*.fault',
    'http.*.corsPolicy',
    'http.*.mirror',
    'http.*.mirrors',
    'http.*.mirrorPercent',
    'http.*.mirrorPercentage',
    'http.*.retries.perTryTimeout',
    'http.*.retries.retryOn',
    'http.*.retries.retryRemoteLocalities',
    'http.*.retries.retryIgnorePreviousHosts',
    'http.*.retries.backoff',
    'http.*.match.*.sourceLabels',
    'http.*.match.*.sourceNamespace',
    'http.*.match.*.statPrefix',
  ],
  Gateway: [
    'servers.*.defaultEndpoint',
    'servers.*.tls.caCertCredentialName',
    'servers.*.tls.caCrl',
    'servers.*.tls.credentialNames',
    'servers.*.tls.subjectAltNames',
    'servers.*.tls.tlsCertificates',
    'servers.*.tls.verifyCertificateHash',
    'servers.*.tls.verifyCertificateSpki',
  ],
  DestinationRule: ['workloadSelector', ...policyFields('trafficPolicy'), ...policyFields('subsets.*.trafficPolicy')],
  ServiceEntry: [
    'addresses',
    'subjectAltNames',
    'endpoints.*.weight',
    'endpoints.*.serviceAccount',
    'endpoints.*.locality',
    'endpoints.*.network',
  ],
  WorkloadEntry: ['weight', 'serviceAccount', 'locality', 'network'],
};

/** Whether Istio has this field (path below `spec`) although the embedded gateway does not interpret it yet. */
export function isNotYet(kind: string, path: FieldPath): boolean {
  return (NOT_YET[kind] ?? []).some((pattern) => {
    const parts = pattern.split('.');
    return parts.length === path.length && parts.every((part, index) => part === '*' || part === path[index]);
  });
}

/** Values that Istio takes at a field and the embedded gateway does not support yet; the rest are mistakes in Istio too. */
const VALUES_NOT_YET: Readonly<Record<string, readonly (readonly [path: string, values: readonly string[] | 'number' | 'text'])[]>> = {
  Gateway: [
    ['servers.*.tls.mode', ['PASSTHROUGH', 'AUTO_PASSTHROUGH', 'ISTIO_MUTUAL', 'OPTIONAL_MUTUAL']],
    ['servers.*.tls.minProtocolVersion', ['TLSV1_0', 'TLSV1_1']],
    ['servers.*.tls.maxProtocolVersion', ['TLSV1_0', 'TLSV1_1']],
    ['servers.*.tls.cipherSuites.*', ['DES-CBC3-SHA', 'ECDHE-PSK-AES128-CBC-SHA', 'ECDHE-PSK-AES256-CBC-SHA']],
    ['servers.*.port.protocol', ['TLS', 'TCP', 'MONGO', 'MYSQL', 'REDIS', 'UDP', 'GRPC-WEB']],
  ],
  VirtualService: [
    ['http.*.retries.attempts', 'number'],
    ['exportTo.*', 'text'],
  ],
  DestinationRule: [['exportTo.*', 'text']],
  ServiceEntry: [
    ['resolution', ['NONE', 'DNS', 'DNS_ROUND_ROBIN', 'DYNAMIC_DNS']],
    ['ports.*.protocol', ['HTTPS', 'TLS', 'TCP', 'MONGO', 'MYSQL', 'REDIS', 'UDP', 'GRPC-WEB']],
    ['exportTo.*', 'text'],
  ],
};

/** Whether Istio would take this value although the embedded gateway does not support it yet. */
export function isValueNotYet(kind: string, path: FieldPath, value: unknown): boolean {
  return (VALUES_NOT_YET[kind] ?? []).some(([pattern, values]) => {
    const parts = pattern.split('.');
    if (parts.length !== path.length || !parts.every((part, index) => part === '*' || part === path[index])) return false;
    if (values === 'number') return typeof value === 'number';
    if (typeof value !== 'string') return false;
    return values === 'text' || values.includes(value.toUpperCase());
  });
}
