import { z } from 'zod';

/**
 * The `spec` of an HTTPRoute in a file, which no apiserver has checked (Gateway API 1.4 and newer, standard channel): strict where weaving reads it, so that a
 * misspelled name is noticed; what stands in a filter, a retry or a session is the apiserver's to judge. Each `error` is read after "must be".
 */

const mapping = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape, { error: (issue) => (issue.code === 'unrecognized_keys' ? undefined : 'a mapping') });
const list = <Item extends z.ZodType>(item: Item) => z.array(item, { error: 'a list' });
const text = z.string({ error: 'text' });
const nonEmpty = text.min(1, { error: 'text that is not empty' });
const anything = z.looseObject({}, { error: 'a mapping' });
const PORT = 'a port number from 1 to 65535';
const port = z.int({ error: PORT }).min(1, { error: PORT }).max(65535, { error: PORT });
const WEIGHT = 'a whole number from 0 to 1000000';
const weight = z.int({ error: WEIGHT }).min(0, { error: WEIGHT }).max(1_000_000, { error: WEIGHT });

const values = list(mapping({ name: nonEmpty, type: z.enum(['Exact', 'RegularExpression']).optional(), value: text }));
const headerValues = list(mapping({ name: nonEmpty, value: text })).optional();
const headerModifier = mapping({ set: headerValues, add: headerValues, remove: list(nonEmpty).optional() });
const filter = z.looseObject(
  {
    type: nonEmpty,
    responseHeaderModifier: headerModifier.optional(),
    urlRewrite: z
      .looseObject({ path: z.looseObject({ type: text.optional() }, { error: 'a mapping' }).optional() }, { error: 'a mapping' })
      .optional(),
  },
  { error: 'a mapping' },
);
const filters = list(filter).optional();

const match = mapping({
  path: mapping({ type: z.enum(['Exact', 'PathPrefix', 'RegularExpression']).optional(), value: text.optional() }).optional(),
  headers: values.optional(),
  queryParams: values.optional(),
  method: nonEmpty.optional(),
});

const backendRef = mapping({
  group: text.optional(),
  kind: nonEmpty.optional(),
  name: nonEmpty,
  namespace: nonEmpty.optional(),
  port: port.optional(),
  weight: weight.optional(),
  filters,
});

const parentRef = mapping({
  group: text.optional(),
  kind: nonEmpty.optional(),
  namespace: nonEmpty.optional(),
  name: nonEmpty,
  sectionName: nonEmpty.optional(),
  port: port.optional(),
});

/** The `spec` of an HTTPRoute. */
export const httpRouteSpec = mapping({
  parentRefs: list(parentRef).optional(),
  useDefaultGateways: text.optional(),
  hostnames: list(nonEmpty).optional(),
  rules: list(
    mapping({
      name: nonEmpty.optional(),
      matches: list(match).optional(),
      filters,
      backendRefs: list(backendRef).optional(),
      timeouts: anything.optional(),
      retry: anything.optional(),
      sessionPersistence: anything.optional(),
    }),
  ).optional(),
});
