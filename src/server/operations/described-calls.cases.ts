import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'vitest';
import { openApiDocument } from './open-api-document.ts';

interface Media {
  readonly schema: object;
  readonly 'x-perch-events'?: Readonly<Record<string, object>>;
}

interface DescribedResponse {
  readonly content?: Readonly<Record<string, Media>>;
  readonly 'x-perch-codes'?: readonly string[];
}

interface DescribedOperation {
  readonly responses: Readonly<Record<string, DescribedResponse>>;
}

/** What the tests read of the OpenAPI document. */
export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

/** The document that a runtime serves. */
export const DOCUMENT = openApiDocument() as unknown as ApiDocument;

const formats = { 'date-time': (text: string) => !Number.isNaN(Date.parse(text)) };
const ajv = new Ajv2020({ strict: false, allErrors: true, formats });
ajv.addSchema({ $id: 'perch', ...(closed(DOCUMENT) as object) });

/** Makes calls, and holds every answer to the document: its status, type and code are described, and it has no field that is not. */
export class DescribedCalls {
  readonly #origin: string;

  constructor(origin: string) {
    this.#origin = origin;
  }

  /** Gives the answer: what its JSON says, or its text. */
  async call(method: string, path: string, body?: unknown): Promise<unknown> {
    const sent = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const response = await fetch(this.#origin + path, { method, ...sent });
    const template = templateOf(path);
    const at = ['paths', template, method.toLowerCase(), 'responses', String(response.status)];
    const described = DOCUMENT.paths[template]?.[method.toLowerCase()]?.responses[String(response.status)];
    expect([method, path, response.status, described !== undefined]).toEqual([method, path, response.status, true]);
    const type = response.headers.get('content-type')?.split(';')[0] ?? '';
    expect([path, Object.keys(described?.content ?? {})]).toEqual([path, [type]]);
    if (!type.endsWith('json')) return await response.text();
    const json: unknown = await response.json();
    this.#hold(json, [...at, 'content', type, 'schema']);
    if (described?.['x-perch-codes'] !== undefined) expect(described['x-perch-codes']).toContain((json as { readonly code: string }).code);
    return json;
  }

  /** Holds the data of a server-sent event to the document. */
  event(name: string, data: string): void {
    this.#hold(JSON.parse(data), [
      'paths',
      '/api/v1/events',
      'get',
      'responses',
      '200',
      'content',
      'text/event-stream',
      'x-perch-events',
      name,
    ]);
  }

  #hold(json: unknown, at: readonly string[]): void {
    const pointer = at.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
    const validate = ajv.getSchema(`perch#/${pointer}`);
    expect([at, validate !== undefined]).toEqual([at, true]);
    validate?.(json);
    expect([at, validate?.errors]).toEqual([at, null]);
  }
}

/** The path of the document that an address is of; one without parameters is it before one with. */
function templateOf(path: string): string {
  const [plain = ''] = path.split('?');
  const fits = (template: string): boolean => new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(plain);
  return [plain, ...Object.keys(DOCUMENT.paths)].find((template) => template in DOCUMENT.paths && fits(template)) ?? plain;
}

/** As it is in this version: nothing in an answer that is not described. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const inner = Object.fromEntries(Object.entries(schema).map(([name, each]) => [name, closed(each)]));
  const isObject = 'properties' in schema && 'type' in schema && schema.type === 'object' && !('additionalProperties' in schema);
  return isObject ? { ...inner, additionalProperties: false } : inner;
}
