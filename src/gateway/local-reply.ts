import { STATUS_CODES } from 'node:http';

/** An answer of the gateway's own, with Envoy's flag for it. */
export interface LocalReply {
  readonly status: number;
  readonly flag: string;
  readonly body: string | Uint8Array;
}

const RESET = 'upstream connect error or disconnect/reset before headers. reset reason: ';

/** The answers that Envoy's router gives on its own (istio-semantics: what clients see). */
export const REPLY = {
  notFound: { status: 404, flag: 'NR', body: '' },
  noCluster: { status: 503, flag: 'NC', body: '' },
  noEndpoint: { status: 503, flag: 'UH', body: 'no healthy upstream' },
  /** Mesh host that nothing declares (REGISTRY_ONLY). */
  blocked: { status: 502, flag: '-', body: '' },
  timeout: { status: 504, flag: 'UT', body: 'upstream request timeout' },
  connect: { status: 503, flag: 'UF', body: `${RESET}remote connection failure` },
  'connect-timeout': { status: 503, flag: 'UF', body: `${RESET}connection timeout` },
  closed: { status: 503, flag: 'UC', body: `${RESET}connection termination` },
  protocol: { status: 502, flag: 'UPE', body: `${RESET}protocol error` },
  internal: { status: 500, flag: '-', body: '' },
} as const satisfies Record<string, LocalReply>;

/** The standard reason phrase of a status. */
export function reasonOf(status: number): string {
  return STATUS_CODES[status] ?? 'Unknown';
}

/** Headers of an answer of the gateway's own: names in lower case, before any edits. */
export function localFields(status: number, body: string | Uint8Array): string[] {
  if (status === 204 || status === 304) return [];
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  const fields = ['content-length', String(length)];
  if (length > 0) fields.push('content-type', 'text/plain');
  if (status === 426) fields.push('upgrade', 'HTTP/1.1');
  return fields;
}
