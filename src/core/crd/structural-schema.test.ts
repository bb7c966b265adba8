import { describe, expect, it } from 'vitest';
import type { FieldSchema } from '../source/field-schema.ts';
import { celText, structuralSchema } from './structural-schema.ts';

describe('a structural schema', () => {
  it.each<[string, FieldSchema, object]>([
    [
      'keeps bounds and says exclusive ones as Kubernetes does',
      { type: 'number', exclusiveMinimum: 0, maximum: 9 },
      { type: 'number', minimum: 0, exclusiveMinimum: true, maximum: 9 },
    ],
    [
      'has a rule for steps',
      { type: 'number', multipleOf: 0.5 },
      {
        type: 'number',
        'x-kubernetes-validations': [
          {
            rule: 'self / 0.5 - double(int(self / 0.5 + 0.5)) < 0.000001 && self / 0.5 - double(int(self / 0.5 + 0.5)) > -0.000001',
            message: 'has to be in steps of 0.5',
          },
        ],
      },
    ],
    ['has no defaults', { type: 'boolean', default: true, description: 'Yes or no.' }, { description: 'Yes or no.', type: 'boolean' }],
    ['of a literal is a list of one', { type: 'string', const: 'manual' }, { type: 'string', enum: ['manual'] }],
    [
      'of texts of two forms is a text with alternatives',
      {
        anyOf: [
          { type: 'string', const: 'manual' },
          { type: 'string', pattern: '^[0-9]+s$', maxLength: 9 },
        ],
      },
      { type: 'string', maxLength: 9, anyOf: [{ enum: ['manual'] }, { pattern: '^[0-9]+s$', maxLength: 9 }] },
    ],
    [
      'of a number or a text is one or the other, with their rules',
      {
        anyOf: [
          { type: 'string', const: 'auto' },
          { type: 'integer', minimum: 0, maximum: 3 },
        ],
      },
      {
        'x-kubernetes-int-or-string': true,
        maxLength: 4,
        'x-kubernetes-validations': [
          {
            rule: "(type(self) == string && self in ['auto']) || (type(self) == int && self >= 0 && self <= 3)",
            message: 'has neither of its forms',
          },
        ],
      },
    ],
    [
      'of a mapping with free fields keeps them',
      { type: 'object', additionalProperties: {} },
      { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    ],
    [
      'of a mapping with free names has a rule for the names',
      { type: 'object', propertyNames: { type: 'string', pattern: '^x-' }, additionalProperties: { type: 'string' }, maxProperties: 2 },
      {
        type: 'object',
        maxProperties: 2,
        additionalProperties: { type: 'string' },
        'x-kubernetes-validations': [{ rule: "self.all(name, name.matches('^x-'))", message: 'names have to match ^x-' }],
      },
    ],
    [
      'of mappings of several forms is one mapping with the fields of all, of which one form is there',
      {
        anyOf: [
          { type: 'object', properties: { subset: { type: 'string' } }, required: ['subset'] },
          { type: 'object', properties: { host: { type: 'string' }, port: { type: 'integer' } }, required: ['host'] },
        ],
      },
      {
        type: 'object',
        properties: { subset: { type: 'string' }, host: { type: 'string' }, port: { type: 'integer' } },
        'x-kubernetes-validations': [
          {
            rule: '(has(self.subset) && !has(self.host) && !has(self.port)) || (has(self.host) && !has(self.subset))',
            message: 'has to have exactly one of subset, host',
          },
        ],
      },
    ],
    [
      'of a list has one of its items',
      { type: 'array', minItems: 1, items: { type: 'string' } },
      { type: 'array', minItems: 1, items: { type: 'string' } },
    ],
  ])('%s', (_, schema, expected) => {
    expect(structuralSchema(schema)).toEqual(expected);
  });

  it.each<[FieldSchema, string]>([
    [{ anyOf: [{ type: 'string', const: 'auto' }, { type: 'boolean' }] }, 'no structural schema has values of boolean,string'],
    [{ type: 'array' }, 'a list without a schema of its items'],
    [{ type: 'object' }, 'a mapping without fields'],
    [{}, 'a schema without a type'],
  ])('there is none of %j', (schema, reason) => {
    expect(() => structuralSchema(schema)).toThrow(reason);
  });

  it('texts in CEL are quoted', () => {
    expect(celText("it's \\d")).toBe("'it\\'s \\\\d'");
  });
});
