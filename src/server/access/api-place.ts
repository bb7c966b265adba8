import { BlockList, isIPv6 } from 'node:net';
import type { CertificateFiles } from '../../cluster/certificates/certificate-files.ts';
import type { DiagnosticCode } from '../../core/diagnostics/codes.ts';

/** Where an API listens, and what keeps others out. */
export interface ApiPlace {
  /** 0: any free one. */
  readonly port: number;
  /** An IP address of this machine, `0.0.0.0` or `::` for all of them; absent: both loopback addresses. */
  readonly bind?: string;
  readonly tls?: CertificateFiles;
  /** Plain HTTP, although it is not loopback: somebody else sees to TLS, or nobody has to. */
  readonly insecureHttp?: boolean;
  readonly tokenFile?: string;
  /** Names by which it may be asked for beside its own addresses, whatever the port. */
  readonly hosts?: readonly string[];
}

/** An API that must not, or cannot, be opened. The message says why and what to do, without the code. */
export class ApiPlaceError extends Error {
  override readonly name = 'ApiPlaceError';
  readonly code: DiagnosticCode;

  constructor(code: DiagnosticCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Whether only programs of this machine reach it there. */
function isLoopback({ bind }: Pick<ApiPlace, 'bind'>): boolean {
  return bind === undefined || LOOPBACK.check(bind, isIPv6(bind) ? 'ipv6' : 'ipv4');
}

/** Throws ApiPlaceError where the network could reach an API that asks nobody who they are, or that is not encrypted without anybody having said so. */
export function refuseOpenPlace(place: ApiPlace): void {
  if (isLoopback(place)) return;
  const missing = [
    ...(place.tls === undefined && place.insecureHttp !== true
      ? ['TLS: --api-tls-cert FILE and --api-tls-key FILE (or --api-insecure-http, where something else encrypts)']
      : []),
    ...(place.tokenFile === undefined ? ['tokens: --api-token-file FILE'] : []),
  ];
  if (missing.length === 0) return;
  throw new ApiPlaceError(
    'PERCH4092',
    `--api-bind ${place.bind} opens the API to the network, and whoever reaches it can move every visitor; it takes ${missing.join(', and ')}`,
  );
}
