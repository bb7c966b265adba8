import type { HTTPMatchRequest } from '../istio/resources.ts';

/** Finds among many match blocks those whose path may be as wide as that of another, without looking at each. */
export class PathIndex {
  /** Positions of those that may take any path, and of those that are not told apart by their text. */
  readonly #anywhere: number[] = [];
  readonly #byKey = new Map<string, number[]>();
  readonly #prefixLengths = new Set<number>();

  constructor(blocks: readonly HTTPMatchRequest[]) {
    for (const [position, { uri, ignoreUriCase }] of blocks.entries()) {
      if (uri === undefined || ignoreUriCase === true || ('regex' in uri && uri.regex === '.*')) this.#anywhere.push(position);
      else if ('regex' in uri) this.#add(`regex ${uri.regex}`, position);
      else if ('exact' in uri) this.#add(`exact ${uri.exact}`, position);
      else {
        this.#add(`prefix ${uri.prefix}`, position);
        this.#prefixLengths.add(uri.prefix.length);
      }
    }
  }

  /** Positions in ascending order; all whose path is surely as wide are among them. */
  asWideAs({ uri }: HTTPMatchRequest): readonly number[] {
    // Every path begins with a slash.
    const keys = new Set(['prefix ', 'prefix /']);
    if (uri !== undefined && 'regex' in uri) keys.add(`regex ${uri.regex}`);
    else if (uri !== undefined) {
      if ('exact' in uri) keys.add(`exact ${uri.exact}`);
      const text = 'exact' in uri ? uri.exact : uri.prefix;
      for (const length of this.#prefixLengths) if (length <= text.length) keys.add(`prefix ${text.slice(0, length)}`);
    }
    const found = [...keys].flatMap((key) => this.#byKey.get(key) ?? []);
    return [...this.#anywhere, ...found].sort((left, right) => left - right);
  }

  #add(key: string, position: number): void {
    const positions = this.#byKey.get(key);
    if (positions === undefined) this.#byKey.set(key, [position]);
    else positions.push(position);
  }
}
