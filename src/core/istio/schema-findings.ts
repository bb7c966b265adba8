import { z } from 'zod';
import { suggest } from '../diagnostics/suggest.ts';
import { type FieldSchema, fieldNames } from '../source/field-schema.ts';
import { type Finding, valueAt } from '../source/finding.ts';
import { describeValue, isMapping } from '../source/kube-object.ts';
import { type FieldPath, formatPath } from '../source/locate.ts';
import { isNotYet, isValueNotYet } from './not-yet.ts';

type Issue = z.core.$ZodIssue;

const jsonSchemas = new WeakMap<z.ZodType, FieldSchema>();

/**
 * What the schema of `kind` finds in a spec, which stands at `root` of its object: one finding per mistake; `[]` means that the spec has
 * the schema's shape.
 */
export function schemaFindings(kind: string, schema: z.ZodType, spec: unknown, root: FieldPath): readonly Finding[] {
  const parsed = schema.safeParse(spec);
  if (parsed.success) return [];
  const known = jsonSchemas.get(schema) ?? (z.toJSONSchema(schema, { io: 'input' }) as FieldSchema);
  jsonSchemas.set(schema, known);
  return parsed.error.issues.flatMap((issue) => findingsOf({ kind, schema: known, spec, root }, issue, []));
}

interface Context {
  readonly kind: string;
  readonly schema: FieldSchema;
  readonly spec: unknown;
  readonly root: FieldPath;
}

function findingsOf(context: Context, issue: Issue, parent: FieldPath): readonly Finding[] {
  const path = [...parent, ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))];
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownField(context, [...path, key]));
  const value = valueAt(context.spec, path);
  if (issue.code === 'invalid_union') {
    const known = fieldNames(context.schema, path);
    const unknown = isMapping(value) ? Object.keys(value).filter((name) => !known.includes(name)) : [];
    if (unknown.length > 0) return unknown.map((name) => unknownField(context, [...path, name]));
    const closest = issue.errors.toSorted((a, b) => a.length - b.length)[0];
    // Only where one alternative's field is there does its own mistake say more than the list of alternatives.
    if (closest?.every((inner) => inner.path.length > 0)) return closest.flatMap((inner) => findingsOf(context, inner, path));
  }
  const whole = [...context.root, ...path];
  const text = formatPath(whole);
  const expected =
    issue.code === 'invalid_value' && issue.message.startsWith('Invalid') ? issue.values.map(String).join(', ') : issue.message;
  if (value === undefined) return [{ code: 'PERCH1102', path: whole, message: `${text} is missing`, hint: `add it: ${expected}` }];
  if (isValueNotYet(context.kind, path, value)) {
    return [
      {
        code: 'PERCH1301',
        path: whole,
        message: `${text}: ${String(value)} is not supported yet by the embedded gateway`,
        hint: `it must be ${expected}`,
      },
    ];
  }
  const meant = issue.code === 'invalid_value' && typeof value === 'string' ? suggest(value, issue.values.map(String)) : undefined;
  const hint = meant === undefined ? 'correct the value' : `did you mean ${meant}?`;
  return [{ code: 'PERCH1103', path: whole, message: `${text} must be ${expected}, found ${describeValue(value)}`, hint }];
}

function unknownField({ kind, schema, root }: Context, path: FieldPath): Finding {
  const whole = [...root, ...path];
  const text = formatPath(whole);
  if (isNotYet(kind, path)) {
    return {
      code: 'PERCH1301',
      path: whole,
      at: 'key',
      message: `${text} is not supported yet by the embedded gateway`,
      hint: 'remove it here; on Istio it keeps working',
    };
  }
  const known = fieldNames(schema, path.slice(0, -1));
  const meant = suggest(String(path.at(-1)), known);
  const hint = meant === undefined ? `known here: ${known.join(', ')}` : `did you mean ${meant}?`;
  return { code: 'PERCH1101', path: whole, at: 'key', message: `there is no field ${text}`, hint };
}
