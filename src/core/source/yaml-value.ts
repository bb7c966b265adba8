import { parseDocument } from 'yaml';
import { followAliases } from './aliases.ts';
import { MAX_TEXT_LENGTH } from './manifests.ts';

/** The value of a YAML text of one document that somebody else has checked already; undefined where it is none, or too large. */
export function parseYamlValue(text: string): unknown {
  if (text.length > MAX_TEXT_LENGTH) return undefined;
  const document = parseDocument(text, { logLevel: 'silent' });
  if (document.errors.length > 0 || followAliases(document.contents).problem !== undefined) return undefined;
  return document.toJS({ maxAliasCount: -1 });
}
