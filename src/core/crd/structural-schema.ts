import type { FieldSchema } from '../source/field-schema.ts';

/** A rule in CEL, as `x-kubernetes-validations` has it; `self` is the value that the schema is of. */
export interface ValidationRule {
  readonly rule: string;
  /** To be read after the field's path. */
  readonly message: string;
  /** The field below `self` that an error is about, `.spec.service`; the value itself where absent. */
  readonly fieldPath?: string;
  /** FieldValueInvalid where absent. */
  readonly reason?: 'FieldValueForbidden';
}

/** The parts of a structural schema that ours use (apiextensions.k8s.io/v1 JSONSchemaProps). */
export interface StructuralSchema {
  readonly type?: string;
  readonly format?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly maximum?: number;
  readonly items?: StructuralSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: StructuralSchema;
  readonly maxProperties?: number;
  readonly anyOf?: readonly StructuralSchema[];
  readonly 'x-kubernetes-int-or-string'?: true;
  readonly 'x-kubernetes-preserve-unknown-fields'?: true;
  readonly 'x-kubernetes-validations'?: readonly ValidationRule[];
  readonly 'x-kubernetes-list-type'?: 'map';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
}

/**
 * What apiservers make of a JSON Schema (docs of Kubernetes, "Specifying a structural schema"): each value has one type, and what may not be
 * said so is a rule. Fields that no schema names are refused by strict field validation, which `kubectl` asks for. No defaults: rules tell what
 * was written from what was left out.
 * @throws Error where a schema has alternatives that no structural schema can have.
 */
export function structuralSchema(schema: FieldSchema): StructuralSchema {
  const description = schema.description === undefined ? {} : { description: schema.description };
  return { ...description, ...(schema.anyOf === undefined ? plain(schema) : alternatives(schema.anyOf)) };
}

function plain(schema: FieldSchema): StructuralSchema {
  switch (schema.type) {
    case 'object':
      return mapping(schema);
    case 'array':
      if (schema.items === undefined) throw new Error('a list without a schema of its items');
      return { type: 'array', ...bounds(schema, ['minItems', 'maxItems']), items: structuralSchema(schema.items) };
    default:
      return { type: typeOf(schema), ...valueRules(schema), ...fractions(schema) };
  }
}

function mapping(schema: FieldSchema): StructuralSchema {
  const { properties, required = [], additionalProperties, propertyNames } = schema;
  if (properties !== undefined) {
    const fields = Object.entries(properties).map(([name, field]) => [name, structuralSchema(field)]);
    return { type: 'object', ...(required.length > 0 ? { required } : {}), properties: Object.fromEntries(fields) };
  }
  if (typeof additionalProperties !== 'object') throw new Error('a mapping without fields');
  if (Object.keys(additionalProperties).length === 0) return { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return {
    type: 'object',
    ...bounds(schema, ['maxProperties']),
    additionalProperties: structuralSchema(additionalProperties),
    ...(propertyNames?.pattern === undefined
      ? {}
      : {
          'x-kubernetes-validations': [
            {
              rule: `self.all(name, name.matches(${celText(propertyNames.pattern)}))`,
              message: `names have to match ${propertyNames.pattern}`,
            },
          ],
        }),
  };
}

function alternatives(forms: readonly FieldSchema[]): StructuralSchema {
  const types = [...new Set(forms.map(typeOf))].sort().join();
  switch (types) {
    case 'object':
      return oneForm(forms);
    case 'string':
      return { type: 'string', ...longest(forms), anyOf: forms.map(valueRules) };
    case 'integer,string':
      return {
        'x-kubernetes-int-or-string': true,
        ...longest(forms.filter(({ type }) => type === 'string')),
        'x-kubernetes-validations': [{ rule: forms.map(asCel).join(' || '), message: 'has neither of its forms' }],
      };
    default:
      throw new Error(`no structural schema has values of ${types}`);
  }
}

/** How long the longest of these texts may be, if all have an end: what rules cost is estimated by it. */
function longest(forms: readonly FieldSchema[]): StructuralSchema {
  const lengths = forms.map(
    ({ maxLength, const: value }) => maxLength ?? (typeof value === 'string' ? value.length : Number.POSITIVE_INFINITY),
  );
  const most = Math.max(...lengths);
  return Number.isFinite(most) ? { maxLength: most } : {};
}

/** Mappings of which one is meant: all their fields in one, and a rule that keeps those of others out. */
function oneForm(forms: readonly FieldSchema[]): StructuralSchema {
  const all = [...new Set(forms.flatMap((form) => Object.keys(form.properties ?? {})))];
  const asked = forms.map(({ properties = {}, required = [] }) => {
    const there = required.map((name) => `has(self.${name})`);
    const absent = all.filter((name) => !(name in properties)).map((name) => `!has(self.${name})`);
    return [...there, ...absent].join(' && ');
  });
  const names = forms.map(({ required = [] }) => required.join(' and '));
  return {
    type: 'object',
    properties: Object.assign({}, ...forms.map((form) => mapping(form).properties)),
    'x-kubernetes-validations': [
      { rule: asked.map((each) => `(${each})`).join(' || '), message: `has to have exactly one of ${names.join(', ')}` },
    ],
  };
}

/** Steps of a number. Not `multipleOf`, which apiservers apply to whole values with the factor cut to a whole one: 0.1 becomes 0. */
function fractions({ multipleOf }: FieldSchema): StructuralSchema {
  if (multipleOf === undefined) return {};
  const steps = `self / ${multipleOf}`;
  const beside = `${steps} - double(int(${steps} + 0.5))`;
  return {
    'x-kubernetes-validations': [{ rule: `${beside} < 0.000001 && ${beside} > -0.000001`, message: `has to be in steps of ${multipleOf}` }],
  };
}

/** A value of two types, as a rule: CEL knows its type only when it is there. */
function asCel(schema: FieldSchema): string {
  const rules = valueRules(schema);
  const wanted = [
    `type(self) == ${schema.type === 'integer' ? 'int' : 'string'}`,
    ...(rules.enum === undefined ? [] : [`self in [${rules.enum.map((each) => celText(String(each))).join(', ')}]`]),
    ...(rules.minimum === undefined ? [] : [`self >= ${rules.minimum}`]),
    ...(rules.maximum === undefined ? [] : [`self <= ${rules.maximum}`]),
    ...(rules.pattern === undefined ? [] : [`self.matches(${celText(rules.pattern)})`]),
  ];
  return `(${wanted.join(' && ')})`;
}

function valueRules(schema: FieldSchema): StructuralSchema {
  const { enum: values, const: value, pattern, exclusiveMinimum } = schema;
  return {
    ...(values === undefined ? {} : { enum: values }),
    ...(value === undefined ? {} : { enum: [value] }),
    ...(pattern === undefined ? {} : { pattern }),
    ...bounds(schema, ['minLength', 'maxLength', 'minimum', 'maximum']),
    ...(exclusiveMinimum === undefined ? {} : { minimum: exclusiveMinimum, exclusiveMinimum: true }),
  };
}

type Bound = 'minLength' | 'maxLength' | 'minItems' | 'maxItems' | 'maxProperties' | 'minimum' | 'maximum';

function bounds(schema: FieldSchema, names: readonly Bound[]): StructuralSchema {
  return Object.fromEntries(names.flatMap((name) => (schema[name] === undefined ? [] : [[name, schema[name]]])));
}

function typeOf({ type, const: value }: FieldSchema): string {
  if (type !== undefined) return type;
  if (typeof value === 'string') return 'string';
  throw new Error('a schema without a type');
}

/** A literal text in CEL. */
export function celText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
