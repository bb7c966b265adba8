import { parseManifests } from '../source/manifests.ts';
import { validateCanaryRelease } from './validate.ts';

/** Releases as text, and what validation says of them. */

/** All but the spec. */
export const IDENTITY = 'apiVersion: perch.dev/v1alpha1\nkind: CanaryRelease\nmetadata: {name: reviews}\n';

/** The lines of a good spec; a field is replaced by another text for it, or taken out. */
export function specWith(changes: Readonly<Record<string, string>> = {}): string {
  const fields: Readonly<Record<string, string>> = {
    service: '{host: reviews, port: 9080}',
    canary: '{subset: v2}',
    stable: '{subset: v1}',
    route: '{adopt: {virtualService: reviews}}',
    steps: '[{weight: 10, hold: 10m}, {weight: 100, hold: 10m}]',
    ...changes,
  };
  const lines = Object.entries(fields).flatMap(([name, value]) => (value === '' ? [] : [`  ${name}: ${value}`]));
  return `${IDENTITY}spec:\n${lines.join('\n')}\n`;
}

/** Validates the first object of a manifest. */
export function validate(text: string): ReturnType<typeof validateCanaryRelease> {
  const { objects, diagnostics } = parseManifests(text, 'release.yaml');
  const [first] = objects;
  if (first === undefined) throw new Error(JSON.stringify(diagnostics));
  return validateCanaryRelease(first.object, first.locate);
}

/** Each finding as `CODE path: message | hint`. */
export function findings(text: string): string[] {
  return validate(text).diagnostics.map(({ code, path, message, hint }) => `${code} ${path}: ${message} | ${hint}`);
}
