import type { FieldPath } from './locate.ts';

/** The parts of a JSON Schema (draft 2020-12) that ours use. */
export interface FieldSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly additionalProperties?: boolean | FieldSchema;
  readonly required?: readonly string[];
  readonly propertyNames?: FieldSchema;
  readonly maxProperties?: number;
  readonly items?: FieldSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly anyOf?: readonly FieldSchema[];
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly multipleOf?: number;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
}

/** Names of the fields that a mapping at this path may have; empty where there is no mapping, or one with free keys. */
export function fieldNames(schema: FieldSchema, path: FieldPath): readonly string[] {
  const names = alternativesAt(schema, path).flatMap((each) => Object.keys(each.properties ?? {}));
  return [...new Set(names)];
}

/** The schemas of which a value at this path must fit one; empty where the path leads nowhere. */
export function alternativesAt(schema: FieldSchema, path: FieldPath): readonly FieldSchema[] {
  let at = alternatives(schema);
  for (const part of path) at = at.flatMap((each) => below(each, part)).flatMap((each) => alternatives(each));
  return at;
}

function alternatives(each: FieldSchema): readonly FieldSchema[] {
  return each.anyOf ?? [each];
}

function below(each: FieldSchema, part: string | number): readonly FieldSchema[] {
  if (typeof part === 'number') return each.items === undefined ? [] : [each.items];
  const next = each.properties?.[part] ?? each.additionalProperties;
  return typeof next === 'object' ? [next] : [];
}
