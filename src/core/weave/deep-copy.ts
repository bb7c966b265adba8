/**
 * A copy of a JSON value that shares nothing with it, keys in the same order. Woven rules repeat parts of one base rule: what was
 * un-woven goes back to owners, who may change one of them.
 */
export function deepCopy<T>(value: T): T {
  return copyJson(value) as T;
}

function copyJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyJson);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, copyJson(member)]));
}
