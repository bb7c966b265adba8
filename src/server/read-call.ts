import type { Context } from 'hono';
import type { z } from 'zod';
import type { ApiEnv } from './api-guards.ts';
import { problem, problemResponse } from './problem.ts';

/** What a schema found wrong, in one sentence. */
function sentenceOf(error: z.ZodError): string {
  return error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.length > 0 ? `${issue.path.join('.')}: ` : ''}${issue.message}`)
    .join('; ');
}

/** Longest body that the API reads, in bytes. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** The body as text; undefined where it is too large. Hono's own limit needs the adapter's Request on the globals, see api-listener.ts. */
async function readText(request: Request): Promise<string | undefined> {
  if (Number(request.headers.get('content-length') ?? 0) > MAX_BODY_BYTES) return undefined;
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) return undefined;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** Reads a body of JSON by a schema; a Response is the answer to a body that does not fit. */
export async function readBody<T>(c: Context<ApiEnv>, schema: z.ZodType<T>): Promise<{ readonly body: T } | Response> {
  let text: string | undefined;
  try {
    text = await readText(c.req.raw);
  } catch (error) {
    // Who broke off, or was cut for being slow, reads no answer any more.
    if (!c.env.incoming.destroyed) throw error;
    return problemResponse(problem(400, 'PERCH4006', 'the body ended too early'));
  }
  if (text === undefined) {
    // What is left of the body is not read: the connection cannot be used again.
    return problemResponse(problem(413, 'PERCH4003', `the body is larger than ${MAX_BODY_BYTES} bytes`), { connection: 'close' });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return problemResponse(problem(400, 'PERCH4006', `the body is not JSON: ${error.message}`));
  }
  const parsed = schema.safeParse(json);
  return parsed.success ? { body: parsed.data } : problemResponse(problem(400, 'PERCH4006', sentenceOf(parsed.error)));
}

/** Reads the query parameters by a schema of strings; a Response is the answer to those that do not fit. */
export function readQuery<T>(c: Context<ApiEnv>, schema: z.ZodType<T>): { readonly query: T } | Response {
  const parsed = schema.safeParse(c.req.query());
  return parsed.success ? { query: parsed.data } : problemResponse(problem(400, 'PERCH4006', `query: ${sentenceOf(parsed.error)}`));
}
