/**
 * Paths as Envoy's `normalize_path` leaves them (chromium url_canon_path.cc behind envoy source/common/http/path_utility.cc;
 * held against Envoy 1.40 byte by byte).
 */

const SLASH = 0x2f;
const DOT = 0x2e;
const PERCENT = 0x25;
const QUESTION = 0x3f;
const HASH = 0x23;

/** What becomes of a byte of the path: kept, written as %XX, or a reason for 400. */
const KEEP = 0;
const ENCODE = 1;
const REFUSE = 2;

const FATE = Uint8Array.from({ length: 256 }, (_, code) => {
  if (code <= 0x20 || code >= 0x7f || code === HASH) return REFUSE;
  return '"<>^`{|}'.includes(String.fromCharCode(code)) ? ENCODE : KEEP;
});

const ESCAPE = /%([0-9A-Fa-f]{2})/g;
/** A percent sign that begins no escape; decoding what follows could make it one (`%%32e`), so it is marked and then encoded. */
const LONE_PERCENT = /%(?![0-9A-Fa-f]{2})/g;
const MARK = '\n';
const NESTED_ESCAPE = /\n(?=[0-9A-Fa-f]{2})/g;
const UNRESERVED = /^[A-Za-z0-9._~-]$/;
const PARAMETERS_OF_DOT_SEGMENT = /(^|\/)(\.\.?);[^/]*/g;

/**
 * The path and query to route by and to send on; undefined where the answer is 400: not absolute, a fragment, a space, control or
 * raw non-ASCII bytes, `%00`.
 * The query stays as it is. In the path: unreserved characters are decoded, `"<>^{|}` and the backquote encoded, `\` becomes `/`,
 * dot segments go; double slashes, other escapes and the case of their digits stay.
 * Stricter than Envoy in one point: a path that would change again if it were normalized again (`/a/%2e%2e;p/b`) is refused,
 * since whoever comes next could read another path than the one that was routed.
 */
export function normalizePath(raw: string): string | undefined {
  if (raw.charCodeAt(0) !== SLASH) return undefined;
  const shape = inspect(raw);
  if (shape === 'normal') return raw;
  if (shape === 'refused') return undefined;
  const normal = rewrite(raw);
  return normal !== undefined && inspect(normal) !== 'normal' && rewrite(normal) !== normal ? undefined : normal;
}

/** One pass over the characters that settles almost every request. */
function inspect(raw: string): 'normal' | 'refused' | 'unsettled' {
  let unsettled = false;
  let inQuery = false;
  let previous = 0;
  for (let index = 0; index < raw.length; index += 1) {
    const code = raw.charCodeAt(index);
    const fate = code < 256 ? FATE[code] : REFUSE;
    if (fate === REFUSE) return 'refused';
    if (inQuery) continue;
    if (code === QUESTION) inQuery = true;
    else if (fate === ENCODE || code === PERCENT || code === 0x5c || (code === DOT && previous === SLASH)) unsettled = true;
    previous = code;
  }
  return unsettled ? 'unsettled' : 'normal';
}

function rewrite(raw: string): string | undefined {
  const queryAt = raw.indexOf('?');
  const path = queryAt < 0 ? raw : raw.slice(0, queryAt);
  if (path.includes('%00')) return undefined;
  const plain = path
    .replace(PARAMETERS_OF_DOT_SEGMENT, '$1$2')
    .replaceAll('\\', '/')
    .replace(/["<>^`{|}]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(LONE_PERCENT, MARK)
    .replace(ESCAPE, (written, digits: string) => {
      const character = String.fromCharCode(Number.parseInt(digits, 16));
      return UNRESERVED.test(character) ? character : written;
    })
    .replace(NESTED_ESCAPE, '%25')
    .replaceAll(MARK, '%');
  const normal = plain.includes('/.') ? withoutDotSegments(plain) : plain;
  return queryAt < 0 ? normal : normal + raw.slice(queryAt);
}

function withoutDotSegments(path: string): string {
  const kept: string[] = [];
  const segments = path.slice(1).split('/');
  for (const [index, segment] of segments.entries()) {
    const isDots = segment === '.' || segment === '..';
    if (segment === '..') kept.pop();
    if (!isDots) kept.push(segment);
    else if (index === segments.length - 1) kept.push('');
  }
  return `/${kept.join('/')}`;
}
