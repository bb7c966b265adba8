import type { KubeObject } from '../istio/resources.ts';
import { API_VERSION, KIND } from '../release/canary-release.ts';
import { releaseSpecSchema } from '../release/release-schema.ts';
import { SPEC_RULES, type SpecRule } from './spec-rules.ts';
import { STATUS_SCHEMA } from './status-schema.ts';
import { type StructuralSchema, structuralSchema } from './structural-schema.ts';
import { TRANSITION_RULES } from './transition-rules.ts';

const [GROUP = '', VERSION = ''] = API_VERSION.split('/');

const COLUMNS = [
  { name: 'Phase', type: 'string', jsonPath: '.status.phase' },
  { name: 'Step', type: 'string', jsonPath: '.status.progress', description: 'Which step it is on, of how many.' },
  {
    name: 'Weight',
    type: 'number',
    jsonPath: '.status.weight',
    description: 'Share of visitors, or of draws, that the step asks for, in percent.',
  },
  {
    name: 'Exposure',
    type: 'string',
    jsonPath: '.status.exposure',
    description: 'Share of visitors that this comes to, in whole buckets of 4096; empty where requests are drawn (canaryOnly).',
  },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  { name: 'Message', type: 'string', jsonPath: '.status.message', priority: 1 },
] as const;

/**
 * The CustomResourceDefinition (apiextensions.k8s.io/v1) of CanaryRelease: deploy/crd.yaml. Its schema comes from the one that the embedded runtime
 * validates by, its rules from spec-rules.ts.
 */
export function customResourceDefinition(): KubeObject {
  const spec = SPEC_RULES.reduce(withRule, structuralSchema(releaseSpecSchema()));
  const label = '^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$';
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `canaryreleases.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: {
        kind: KIND,
        listKind: `${KIND}List`,
        plural: 'canaryreleases',
        singular: 'canaryrelease',
        // Not `canary`: that is Flagger's.
        shortNames: ['crel'],
        categories: ['all', 'perch'],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: COLUMNS,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description: 'Moves a growing share of the visitors of a service to a new version; each visitor moves once.',
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string' },
                kind: { type: 'string' },
                metadata: { type: 'object' },
                spec,
                status: STATUS_SCHEMA,
              },
              'x-kubernetes-validations': [
                {
                  rule: `self.metadata.name.matches('${label}')`,
                  message: 'metadata.name has to be lower-case letters, digits and hyphens, at most 63',
                },
                ...TRANSITION_RULES,
              ],
            },
          },
        },
      ],
    },
  };
}

/** The schema with a rule at its place. */
function withRule(schema: StructuralSchema, { at, rule, message }: SpecRule): StructuralSchema {
  const [first, ...rest] = at;
  if (first === undefined) {
    return { ...schema, 'x-kubernetes-validations': [...(schema['x-kubernetes-validations'] ?? []), { rule, message }] };
  }
  const below = { at: rest, rule, message };
  if (first === '*') {
    if (schema.items !== undefined) return { ...schema, items: withRule(schema.items, below) };
    if (schema.additionalProperties !== undefined) return { ...schema, additionalProperties: withRule(schema.additionalProperties, below) };
  }
  const field = schema.properties?.[first];
  if (field === undefined) throw new Error(`there is no ${first} for the rule ${rule}`);
  return { ...schema, properties: { ...schema.properties, [first]: withRule(field, below) } };
}
