import { z } from 'zod';
import { CODES, type DiagnosticCode } from '../../core/diagnostics/codes.ts';
import { problemView } from '../../core/view/problem-view.ts';
import type { Operation, OperationAnswer } from './operation.ts';
import { OPERATIONS } from './operations.ts';

type Json = Readonly<Record<string, unknown>>;

/** What a parameter of a path is. */
const PARAMETERS: Readonly<Record<string, string>> = {
  kind: 'The kind as in manifests: VirtualService',
  namespace: 'The namespace of the object',
  name: 'The name of the object',
  id: 'The visitor id',
};

const DESCRIPTION =
  'Releases in which every visitor stays put. On loopback it takes no token; elsewhere, one that may look or one that may act ' +
  '(docs/guides/api-access.md). Errors are problem documents (RFC 9457) with a stable code (docs/reference/errors.md). ' +
  'Fields are added to answers, never renamed or removed.';

let made: Json | undefined;

/** The OpenAPI document (https://spec.openapis.org/oas/v3.1.1.html) of the HTTP API, from the schemas that its routes parse with. */
export function openApiDocument(): Json {
  made ??= makeDocument(OPERATIONS);
  return made;
}

function makeDocument(operations: readonly Operation[]): Json {
  const schemas = new Schemas();
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: operationObject(operation, schemas) };
  }
  const problem = schemas.answer(problemView);
  return {
    openapi: '3.1.1',
    info: { title: 'Perch', version: 'v1', description: DESCRIPTION, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: 'http://127.0.0.1:7070' }],
    tags: [...new Set(operations.map(({ tag }) => tag))].map((name) => ({ name })),
    security: [{}, { token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'A token of the file that the runtime was given.' } },
      responses: { Problem: { description: 'Any other problem', content: { 'application/problem+json': { schema: problem } } } },
      schemas: schemas.named(),
    },
  };
}

function operationObject(operation: Operation, schemas: Schemas): Json {
  const { id, tag, summary, access, body, answers } = operation;
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(access === 'anyone' ? { security: [] } : { 'x-perch-access': access }),
    parameters: [...pathParameters(operation), ...queryParameters(operation, schemas)],
    ...(body === undefined ? {} : { requestBody: { required: true, content: { 'application/json': { schema: schemas.input(body) } } } }),
    responses: {
      ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, answerObject(answer, schemas)])),
      ...problemObjects(operation, schemas),
      default: { $ref: '#/components/responses/Problem' },
    },
  };
}

function pathParameters({ path }: Operation): readonly Json[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => {
    const description = PARAMETERS[name];
    if (description === undefined) throw new Error(`the parameter ${name} of ${path} is not described`);
    return { name, in: 'path', required: true, description, schema: { type: 'string' } };
  });
}

function queryParameters({ query }: Operation, schemas: Schemas): readonly Json[] {
  if (query === undefined) return [];
  const { properties = {}, required = [] } = schemas.input(query) as { properties?: Record<string, Json>; required?: readonly string[] };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema,
  }));
}

function answerObject({ description, schema, type = 'application/json', events }: OperationAnswer, schemas: Schemas): Json {
  const content = schema === undefined ? { type: 'string' } : schemas.answer(schema);
  const told = Object.entries(events ?? {}).map(([name, data]) => [name, schemas.answer(data)]);
  return {
    description,
    content: { [type]: { schema: content, ...(told.length === 0 ? {} : { 'x-perch-events': Object.fromEntries(told) }) } },
  };
}

/** Codes of each status, those that any such call may get included. */
function problemsOf({ access, query, body, answers, problems = {} }: Operation): ReadonlyMap<number, readonly DiagnosticCode[]> {
  const all = new Map<number, DiagnosticCode[]>();
  const add = (status: number, ...codes: readonly DiagnosticCode[]): void => {
    all.set(status, [...(all.get(status) ?? []), ...codes]);
  };
  if (query !== undefined || body !== undefined) add(400, 'PERCH4006');
  if (access !== 'anyone') add(401, 'PERCH4090');
  add(403, 'PERCH4001', 'PERCH4002', ...(access === 'act' ? (['PERCH4091'] as const) : []));
  if (body !== undefined) {
    add(413, 'PERCH4003');
    add(415, 'PERCH4009');
  }
  for (const [status, codes] of Object.entries(problems)) add(Number(status), ...codes);
  for (const status of Object.keys(answers)) all.delete(Number(status));
  return all;
}

function problemObjects(operation: Operation, schemas: Schemas): Json {
  return Object.fromEntries(
    [...problemsOf(operation)].map(([status, codes]) => [
      status,
      {
        description: codes.map((code) => `${code}: ${CODES[code].title}`).join('; '),
        'x-perch-codes': codes,
        content: { 'application/problem+json': { schema: schemas.answer(problemView) } },
      },
    ]),
  );
}

/** What users write is closed: a field that nobody knows is refused. */
const CLOSED = ['CanaryReleaseSpec'];

/** Schemas as JSON; those with an id are collected, and referred to. */
class Schemas {
  readonly #named = new Map<string, unknown>();

  input(schema: z.ZodType): Json {
    return this.#read(schema);
  }

  /** Open: a later version may add fields, which no client has to refuse. */
  answer(schema: z.ZodType): unknown {
    return opened(this.#read(schema));
  }

  named(): Json {
    return Object.fromEntries([...this.#named].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  #read(schema: z.ZodType): Json {
    // Within another one, as the one at the top is never referred to by its id.
    const { $defs = {}, properties } = z.toJSONSchema(z.object({ root: schema }), { io: 'input' });
    for (const [id, named] of Object.entries($defs)) this.#named.set(id, CLOSED.includes(id) ? moved(named) : opened(moved(named)));
    return moved(properties?.['root']) as Json;
  }
}

/** With references into the document. */
function moved(value: unknown): unknown {
  return mapped(value, ([name, each]) => [
    [name, name === '$ref' ? String(each).replace('#/$defs/', '#/components/schemas/') : moved(each)],
  ]);
}

function opened(value: unknown): unknown {
  return mapped(value, ([name, each]) => (name === 'additionalProperties' && each === false ? [] : [[name, opened(each)]]));
}

function mapped(value: unknown, entry: (entry: readonly [string, unknown]) => readonly (readonly [string, unknown])[]): unknown {
  if (Array.isArray(value)) return value.map((each) => (typeof each === 'object' && each !== null ? mapped(each, entry) : each));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(entry));
}
