/** What a code stands for: `title` in one line, `remedy` for the reference page. */
export interface CodeEntry {
  readonly title: string;
  readonly remedy: string;
}
