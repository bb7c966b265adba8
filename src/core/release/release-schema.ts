import { z } from 'zod';
import type { FieldPath } from '../source/locate.ts';
import { canaryReleaseSpec } from './canary-release.ts';

/** The parts of a JSON Schema (draft 2020-12) that ours uses. */
export interface FieldSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly required?: readonly string[];
  readonly items?: FieldSchema;
  readonly anyOf?: readonly FieldSchema[];
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly multipleOf?: number;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
}

let schema: FieldSchema | undefined;

/** The JSON Schema of what users write into `spec`. */
export function releaseSpecSchema(): FieldSchema {
  schema ??= z.toJSONSchema(canaryReleaseSpec, { io: 'input' }) as FieldSchema;
  return schema;
}

/** Names of the fields that a mapping at this path (below `spec`) may have; empty where there is no mapping. */
export function fieldNames(path: FieldPath): readonly string[] {
  let at: readonly FieldSchema[] = [releaseSpecSchema()];
  for (const part of path) {
    at = at.flatMap((each) => alternatives(each)).flatMap((each) => below(each, part));
  }
  return at.flatMap((each) => alternatives(each)).flatMap((each) => Object.keys(each.properties ?? {}));
}

function alternatives(each: FieldSchema): readonly FieldSchema[] {
  return each.anyOf ?? [each];
}

function below(each: FieldSchema, part: string | number): readonly FieldSchema[] {
  const next = typeof part === 'number' ? each.items : each.properties?.[part];
  return next === undefined ? [] : [next];
}
