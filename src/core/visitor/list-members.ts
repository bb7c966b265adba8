/**
 * Whether any member of a list header (cookies separated by `;`, baggage by `,`) begins with `beginning` and `matches` says yes to the rest
 * of it, which it gets as the text with start and end. A single space may follow a separator. As in a regex, where `.` excludes the line
 * feed, no text with one matches. Linear: it searches for the beginning, which has no separator in it, rather than looking at each member.
 */
export function someMember(
  text: string,
  separator: ';' | ',',
  beginning: string,
  matches: (text: string, start: number, end: number) => boolean,
): boolean {
  let at = text.indexOf(beginning);
  if (at < 0 || text.includes('\n')) return false;
  while (at >= 0) {
    const start = at + beginning.length;
    if (beginsMember(text, separator, at)) {
      const found = text.indexOf(separator, start);
      if (matches(text, start, found < 0 ? text.length : found)) return true;
    }
    at = text.indexOf(beginning, start);
  }
  return false;
}

function beginsMember(text: string, separator: string, at: number): boolean {
  if (at === 0) return true;
  const before = text[at - 1];
  return before === separator || (before === ' ' && at > 1 && text[at - 2] === separator);
}
