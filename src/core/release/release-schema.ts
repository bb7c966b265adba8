import { z } from 'zod';
import { alternativesAt, type FieldSchema, fieldNames } from '../source/field-schema.ts';
import type { FieldPath } from '../source/locate.ts';
import { canaryReleaseSpec } from './canary-release.ts';

let schema: FieldSchema | undefined;

/** The JSON Schema of what users write into `spec`. */
export function releaseSpecSchema(): FieldSchema {
  schema ??= z.toJSONSchema(canaryReleaseSpec, { io: 'input' }) as FieldSchema;
  return schema;
}

/** Names of the fields that a mapping at this path (below `spec`) may have; empty where there is no mapping. */
export function releaseFieldNames(path: FieldPath): readonly string[] {
  return fieldNames(releaseSpecSchema(), path);
}

/** Of a field (path below `spec`) that has one of several forms: the names of the fields of each form, in the order of the schema. */
export function releaseAlternatives(path: FieldPath): readonly (readonly string[])[] {
  return alternativesAt(releaseSpecSchema(), path).map((each) => Object.keys(each.properties ?? {}));
}
