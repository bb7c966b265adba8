/** V8 copies parts shorter than this, and lets longer ones point into the whole. */
const COPIED_BY_ITSELF = 13;

/**
 * The same text in memory of its own: a part of a string keeps the whole of it alive (V8's sliced strings), and whoever remembers a short id that was cut
 * out of a long header would remember the header. For text of a few hundred characters.
 */
export function detached(text: string): string {
  if (text.length < COPIED_BY_ITSELF) return text;
  const units: number[] = [];
  for (let at = 0; at < text.length; at++) units.push(text.charCodeAt(at));
  return String.fromCharCode(...units);
}
