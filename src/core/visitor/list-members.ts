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
  let start = firstMember(text, separator, beginning);
  while (start >= 0) {
    const end = memberEnd(text, separator, start);
    if (matches(text, start, end)) return true;
    start = nextMember(text, separator, beginning, end);
  }
  return false;
}

/** Where the rest of the first member stands that `someMember` would look at; -1 where there is none. */
export function firstMember(text: string, separator: ';' | ',', beginning: string): number {
  const start = nextMember(text, separator, beginning, 0);
  return start >= 0 && text.includes('\n') ? -1 : start;
}

/** The same of the first member behind `from`, the end of another one. */
export function nextMember(text: string, separator: ';' | ',', beginning: string, from: number): number {
  let at = text.indexOf(beginning, from);
  while (at >= 0) {
    const start = at + beginning.length;
    if (beginsMember(text, separator, at)) return start;
    at = text.indexOf(beginning, start);
  }
  return -1;
}

/** Where the member ends that `start` is in. */
export function memberEnd(text: string, separator: ';' | ',', start: number): number {
  const found = text.indexOf(separator, start);
  return found < 0 ? text.length : found;
}

function beginsMember(text: string, separator: string, at: number): boolean {
  if (at === 0) return true;
  const before = text[at - 1];
  return before === separator || (before === ' ' && at > 1 && text[at - 2] === separator);
}
