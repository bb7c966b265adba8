/** Puts meaning on a terminal; with `plainStyle` the text stays as it is. */
export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  /** Good, as it should be. */
  readonly good: (text: string) => string;
  /** Worth a look. */
  readonly attention: (text: string) => string;
  /** Harm, errors. */
  readonly bad: (text: string) => string;
  /** Addresses and what can be typed. */
  readonly link: (text: string) => string;
}

const unchanged = (text: string): string => text;

/** No colours. */
export const plainStyle: Style = {
  bold: unchanged,
  dim: unchanged,
  good: unchanged,
  attention: unchanged,
  bad: unchanged,
  link: unchanged,
};

/** Wraps text in an SGR pair (ECMA-48, 8.3.117). */
const sgr =
  (on: number, off: number) =>
  (text: string): string =>
    `\u001b[${on}m${text}\u001b[${off}m`;

/** Colours of the terminal's own palette, so that its theme decides how they look. */
export const colourStyle: Style = {
  bold: sgr(1, 22),
  dim: sgr(2, 22),
  good: sgr(32, 39),
  attention: sgr(33, 39),
  bad: sgr(31, 39),
  link: sgr(36, 39),
};

/** Whether to colour what goes to a stream: on terminals only, and not against NO_COLOR (no-color.org) or TERM=dumb. */
export function wantsColour(isTerminal: boolean, environment: Readonly<Record<string, string | undefined>>): boolean {
  if ((environment['NO_COLOR'] ?? '') !== '') return false;
  const forced = environment['FORCE_COLOR'];
  if (forced !== undefined && forced !== '') return forced !== '0';
  return isTerminal && environment['TERM'] !== 'dumb';
}
