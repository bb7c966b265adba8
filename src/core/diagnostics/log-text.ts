/** Longest text that a line of the log takes over, in UTF-16 units. */
const MOST = 300;

/** A text that may come from users, as part of one line of a log: `plainText`, cut where it is too long. */
export function logText(text: string): string {
  return plainText(text.length <= MOST ? text : `${text.slice(0, MOST - 1)}…`);
}

/**
 * A text that may come from users, as part of a line of text for people: what would end the line, move the cursor or turn the direction of writing is
 * written as `\u{1b}`. The same again for a text that it gave.
 */
export function plainText(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    return [...character].map((each) => `\\u{${(each.codePointAt(0) ?? 0).toString(16)}}`).join('');
  });
}
