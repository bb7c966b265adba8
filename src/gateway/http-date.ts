let second = 0;
let text = '';

/** The present time as in a `Date` header (RFC 9110 section 5.6.7), formatted once per second. */
export function httpDate(now = Date.now()): string {
  const current = Math.floor(now / 1000);
  if (current !== second) {
    second = current;
    text = new Date(now).toUTCString();
  }
  return text;
}
