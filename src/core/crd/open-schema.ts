import type { StructuralSchema } from './structural-schema.ts';

/** What of JSON Schema (2020-12) a structural schema comes to. */
interface OpenSchema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, OpenSchema>>;
  readonly items?: OpenSchema;
  readonly required?: readonly string[];
}

/** A structural schema as JSON Schema, without what only Kubernetes knows. `required`: fields of the top that are always there. */
export function openSchema(schema: StructuralSchema, required: readonly string[] = schema.required ?? []): OpenSchema {
  const { properties, items, 'x-kubernetes-int-or-string': isEither, ...others } = schema;
  const known = Object.fromEntries(Object.entries(others).filter(([name]) => !name.startsWith('x-kubernetes-')));
  return {
    ...known,
    ...(isEither === true ? { type: ['integer', 'string'] } : {}),
    ...(required.length > 0 ? { required } : {}),
    ...(items === undefined ? {} : { items: openSchema(items) }),
    ...(properties === undefined
      ? {}
      : { properties: Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, openSchema(field)])) }),
  };
}
