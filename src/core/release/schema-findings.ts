import type { z } from 'zod';
import { suggest } from '../diagnostics/suggest.ts';
import { type Finding, valueAt } from '../source/finding.ts';
import { describeValue, isMapping } from '../source/kube-object.ts';
import { type FieldPath, formatPath } from '../source/locate.ts';
import { insteadOfField } from './not-yet.ts';
import { releaseFieldNames as fieldNames, releaseAlternatives } from './release-schema.ts';

type Issue = z.core.$ZodIssue;

/**
 * Makes sentences of what the schema found in a spec: one finding per mistake, each with what was expected, what is there and what to do.
 * Paths begin with `spec`.
 */
export function schemaFindings(spec: unknown, issues: readonly Issue[]): readonly Finding[] {
  const findings = issues.flatMap((issue) => findingsOf(spec, issue, []));
  const unknown = findings.filter((finding) => finding.code === 'PERCH1201' || finding.code === 'PERCH1210');
  // `stpes:` is one mistake, not an unknown field and a missing one; and what is not supported yet would have stood in for the missing one.
  return findings.filter((finding) => {
    if (finding.code !== 'PERCH1202') return true;
    const parent = formatPath(finding.path.slice(0, -1));
    const name = finding.path.at(-1);
    return !unknown.some(
      (other) =>
        formatPath(other.path.slice(0, -1)) === parent &&
        (other.code === 'PERCH1210' || suggest(String(other.path.at(-1)), fieldNames(other.path.slice(1, -1))) === name),
    );
  });
}

function findingsOf(spec: unknown, issue: Issue, parent: FieldPath): readonly Finding[] {
  const below = [...parent, ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))];
  const value = valueAt(spec, below);
  if (issue.code === 'unrecognized_keys') return unrecognizedFindings(below, issue.keys, value);
  if (issue.code === 'invalid_union' && isMapping(value) && Object.keys(value).length > 0)
    return alternativeFindings(spec, issue, below, value);
  const path = ['spec', ...below];
  if (value === undefined) return [missing(path, expectedBy(issue))];
  return [badValue(below, expectedBy(issue), value, hintFor(issue, value))];
}

/** Where one form of a mapping is whole, the schema takes a field of another form for an unknown one. */
function unrecognizedFindings(below: FieldPath, keys: readonly string[], value: unknown): readonly Finding[] {
  const ofForms = releaseAlternatives(below).flat();
  const known = isMapping(value) ? Object.keys(value).filter((field) => ofForms.includes(field)) : [];
  const path = ['spec', ...below];
  const message = `${formatPath(path)} has ${known.join(' and ')} together`;
  const together: readonly Finding[] = keys.some((key) => ofForms.includes(key))
    ? [{ code: 'PERCH1203', path, message, hint: keepOneOf(known) }]
    : [];
  return [...together, ...keys.filter((key) => !ofForms.includes(key)).map((key) => unknownField([...below, key]))];
}

/** Of several forms of a mapping its fields say which one is meant; a form is never guessed from what is missing. */
function alternativeFindings(
  spec: unknown,
  issue: z.core.$ZodIssueInvalidUnion,
  below: FieldPath,
  value: Readonly<Record<string, unknown>>,
): readonly Finding[] {
  const forms = releaseAlternatives(below);
  const given = Object.keys(value);
  const meant = forms.flatMap((fields, index) => (fields.some((field) => given.includes(field)) ? [index] : []));
  const [only, ...others] = meant;
  if (only === undefined) return given.map((field) => unknownField([...below, field]));
  if (others.length > 0) {
    const known = given.filter((field) => forms.some((fields) => fields.includes(field)));
    return [mixed(below, issue.message, known)];
  }
  return (issue.errors[only] ?? []).flatMap((inner) => findingsOf(spec, inner, below));
}

function unknownField(below: FieldPath): Finding {
  const path = ['spec', ...below];
  const instead = insteadOfField(below);
  if (instead !== undefined) {
    return { code: 'PERCH1210', path, at: 'key', message: `${formatPath(path)} is not supported yet`, hint: instead };
  }
  const elsewhere = placeOf(below);
  if (elsewhere !== undefined) {
    return { code: 'PERCH1201', path, at: 'key', message: `there is no field ${formatPath(path)}`, hint: elsewhere };
  }
  const known = fieldNames(below.slice(0, -1));
  const meant = suggest(String(below.at(-1)), known);
  const hint = meant === undefined ? `known here: ${known.join(', ')}` : `did you mean ${meant}?`;
  return { code: 'PERCH1201', path, at: 'key', message: `there is no field ${formatPath(path)}`, hint };
}

/** Where a field belongs that is right in another form of the route. */
function placeOf(below: FieldPath): string | undefined {
  const [route, form, field, ...rest] = below;
  if (route !== 'route' || form !== 'delegate' || rest.length > 0 || (field !== 'hosts' && field !== 'gateways')) return undefined;
  return `a delegate has no ${field}: the root VirtualService that names it has; or use route.managed`;
}

function missing(path: FieldPath, expected: string): Finding {
  const text = formatPath(path);
  return { code: 'PERCH1202', path, message: `${text} is missing`, hint: `add ${text}: ${expected}` };
}

function badValue(below: FieldPath, expected: string, value: unknown, hint: string): Finding {
  const path = ['spec', ...below];
  return { code: 'PERCH1203', path, message: `${formatPath(path)} must be ${expected}, found ${describeValue(value)}`, hint };
}

function mixed(below: FieldPath, expected: string, fields: readonly string[]): Finding {
  const path = ['spec', ...below];
  const message = `${formatPath(path)} must be ${expected}, found ${fields.join(' and ')} together`;
  return { code: 'PERCH1203', path, message, hint: keepOneOf(fields) };
}

function keepOneOf(fields: readonly string[]): string {
  return `keep one of the ${fields.length === 2 ? 'two' : 'three'}`;
}

/** What the schema wants, to be read after "must be". Schemas say it themselves, but for choices, whose values say it. */
function expectedBy(issue: Issue): string {
  return issue.code === 'invalid_value' ? issue.values.map(String).join(' or ') : issue.message;
}

function hintFor(issue: Issue, value: unknown): string {
  if (issue.code === 'invalid_value' && typeof value === 'string') {
    const meant = suggest(value, issue.values.map(String));
    return meant === undefined ? 'choose one of them' : `did you mean ${meant}?`;
  }
  if (typeof value === 'string' && /^\d+(\.\d+)?%?$/.test(value.trim()) && issue.code === 'invalid_type') {
    return `write ${Number.parseFloat(value)}, a number without quotes or %`;
  }
  if (typeof value === 'number' && /duration/.test(issue.message)) return `add a unit: ${value}s or ${value}m`;
  if (value === null) return 'give it a value, or remove the line';
  if (typeof value === 'string' && /^(?:yes|no|on|off|true|false)$/i.test(value) && /^true/.test(issue.message)) {
    return `write ${/^(?:yes|on|true)$/i.test(value)}, without quotes`;
  }
  if (issue.code === 'invalid_union' && isMapping(value)) return 'add the fields of one of them';
  return 'correct the value';
}
