import { detached } from '../core/text/detached.ts';

/** What the gateway does about a header, told by its name. */
export const FIELD = {
  plain: 0,
  /** Belongs to one connection: never forwarded (RFC 9110 section 7.6.1). */
  hopByHop: 1,
  connection: 2,
  contentLength: 3,
  transferEncoding: 4,
  upgrade: 5,
  host: 6,
  expect: 7,
  requestId: 8,
  forwardedFor: 9,
  forwardedProto: 10,
  /** What no client may say: instructions to a proxy (`x-envoy-*`), and whom a proxy authenticated. */
  envoy: 11,
  cookie: 12,
  userAgent: 13,
  keepAlive: 14,
  server: 15,
  /** Announces the fields of a trailer section: goes with a chunked body only. */
  trailer: 16,
  te: 17,
} as const;

/** A header's name as it was received, looked up once: many are the same in every request. */
interface FieldName {
  readonly lower: string;
  /** One of `FIELD`. */
  readonly kind: number;
}

const KINDS: ReadonlyMap<string, number> = new Map([
  ['proxy-connection', FIELD.hopByHop],
  ['proxy-authenticate', FIELD.hopByHop],
  ['proxy-authorization', FIELD.hopByHop],
  ['te', FIELD.te],
  ['trailer', FIELD.trailer],
  ['http2-settings', FIELD.hopByHop],
  ['keep-alive', FIELD.keepAlive],
  ['connection', FIELD.connection],
  ['content-length', FIELD.contentLength],
  ['transfer-encoding', FIELD.transferEncoding],
  ['upgrade', FIELD.upgrade],
  ['host', FIELD.host],
  ['expect', FIELD.expect],
  ['x-request-id', FIELD.requestId],
  ['x-forwarded-for', FIELD.forwardedFor],
  ['x-forwarded-proto', FIELD.forwardedProto],
  ['x-forwarded-client-cert', FIELD.envoy],
  ['cookie', FIELD.cookie],
  ['user-agent', FIELD.userAgent],
  ['server', FIELD.server],
]);

/**
 * Headers that Envoy keeps as one line, so that their lines are matched joined; of all others each line is matched for itself. Its own (envoy
 * http/header_map.h) and those that its filters register, as far as they are requests'; measured with Envoy 1.40.
 */
export const JOINED_FIELDS: ReadonlySet<string> = new Set(
  (
    'accept accept-encoding access-control-request-headers access-control-request-method access-control-request-private-network ' +
    'authorization cache-control cdn-loop content-encoding content-type grpc-accept-encoding grpc-timeout if-match if-modified-since ' +
    'if-none-match if-range if-unmodified-since origin pragma referer user-agent via x-client-trace-id x-forwarded-host x-forwarded-port'
  ).split(' '),
);

/**
 * Names are few and repeat: remembering their lower-case form saves an allocation per header. Bounded, since clients choose them, and in two
 * generations: a flood of names of which none comes again pushes out those that are in use for a moment only.
 */
const MEMO_SIZE = 1024;
const MEMO_NAME_LENGTH = 64;
let young = new Map<string, FieldName>();
let old = new Map<string, FieldName>();

/** Lower-case form and kind of a header name as received. */
export function fieldName(raw: string): FieldName {
  const known = young.get(raw);
  if (known !== undefined) return known;
  const entry = old.get(raw) ?? readName(raw);
  if (raw.length <= MEMO_NAME_LENGTH) remember(raw, entry);
  return entry;
}

function readName(raw: string): FieldName {
  const lower = raw.toLowerCase();
  const kind = KINDS.get(lower) ?? (lower.startsWith('x-envoy-') ? FIELD.envoy : FIELD.plain);
  return { lower: detached(lower), kind };
}

function remember(raw: string, entry: FieldName): void {
  if (young.size >= MEMO_SIZE) {
    old = young;
    young = new Map();
  }
  young.set(detached(raw), entry);
}
