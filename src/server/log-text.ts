/** Longest text that a line of the log takes over, in UTF-16 units. */
const MOST = 300;

/**
 * A text that may come from users, as part of one line of a log: what would end the line, move the cursor or turn the direction of writing
 * is escaped as in JSON, and what is too long is cut.
 */
export function logText(text: string): string {
  const cut = text.length <= MOST ? text : `${text.slice(0, MOST - 1)}…`;
  return cut.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    return [...character].map((each) => `\\u{${(each.codePointAt(0) ?? 0).toString(16)}}`).join('');
  });
}
