import { yamlText } from '../../core/source/yaml-text.ts';
import type { Terminal } from './terminal.ts';

/** What `-o` may be; undefined is text for people. */
export const OUTPUT_FORMATS = ['json', 'yaml', 'wide', 'name'] as const;
/** One of `OUTPUT_FORMATS`; each command takes some of them (`outputOption`). */
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** Writes a value for programs. */
export async function writeValue(terminal: Terminal, format: 'json' | 'yaml', value: unknown): Promise<void> {
  if (format === 'json') {
    terminal.out(JSON.stringify(value, null, 2));
    return;
  }
  terminal.out(await yamlText(value));
}

/** Several objects as Kubernetes wraps them. */
export function listOf(items: readonly unknown[]): unknown {
  return { apiVersion: 'v1', kind: 'List', items };
}
