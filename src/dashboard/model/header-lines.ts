/** Headers as they were typed, `Name: value` a line; or the first line that is none. */
export type HeaderLines =
  | { readonly ok: true; readonly headers: readonly (readonly [name: string, value: string])[] }
  | { readonly ok: false; readonly line: string };

/** Reads headers as one types them; empty lines count for nothing. */
export function readHeaderLines(text: string): HeaderLines {
  const headers: (readonly [string, string])[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const [, name, value = ''] = /^\s*([^\s:]+)\s*:\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === undefined) return { ok: false, line };
    headers.push([name, value]);
  }
  return { ok: true, headers };
}
