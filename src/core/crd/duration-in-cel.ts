/** Milliseconds of a duration, rounded as `parseDuration` does, as a CEL expression; `text` is one, too. */
export function millisecondsInCel(text: string): string {
  const units = "p.endsWith('ms') ? 1.0 : p.endsWith('s') ? 1000.0 : p.endsWith('m') ? 60000.0 : p.endsWith('h') ? 3600000.0 : 86400000.0";
  const parts = `${text}.findAll('[0-9.]+(?:ms|s|m|h|d)')`;
  const amount = "double(p.substring(0, p.size() - (p.endsWith('ms') ? 2 : 1)))";
  return `int(${parts}.map(p, ${amount} * (${units})).sum() + 0.5)`;
}
