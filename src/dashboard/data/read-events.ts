/** One server-sent event; a comment, which only shows that the connection lives, has none. */
export interface ServerEvent {
  readonly event: string;
  readonly data: string;
}

/** More than any event of ours takes, in characters: what is longer is not from Perch. */
const LONGEST_LINE = 16 * 1024 * 1024;

/**
 * Reads server-sent events as text comes in (WHATWG HTML, section 9.2.6), as far as Perch uses them: `event` and `data`. Fed with text, torn
 * anywhere; gives back the events that are complete.
 */
export class EventReader {
  #pending = '';
  #event = 'message';
  #data: string[] = [];

  feed(text: string): readonly ServerEvent[] {
    const lines = (this.#pending + text).split('\n');
    this.#pending = lines.pop() ?? '';
    if (this.#pending.length > LONGEST_LINE) throw new RangeError('an event is too long');
    const events: ServerEvent[] = [];
    for (const line of lines) {
      const event = this.#line(line.endsWith('\r') ? line.slice(0, -1) : line);
      if (event !== undefined) events.push(event);
    }
    return events;
  }

  #line(line: string): ServerEvent | undefined {
    if (line === '') {
      const found = this.#data.length > 0 ? { event: this.#event, data: this.#data.join('\n') } : undefined;
      this.#event = 'message';
      this.#data = [];
      return found;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.#event = value;
    if (field === 'data') this.#data.push(value);
    return undefined;
  }
}
