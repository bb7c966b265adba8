import type { KubeObject } from '../../core/istio/resources.ts';
import { type KubeClient, KubeError, type KubeRequest } from './kube-client.ts';

/** Objects in one page of a list. */
const PAGE = 500;

interface ListAnswer {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly KubeObject[];
}

/** All objects of a collection, and the version from which to watch it. */
export interface ListedObjects {
  readonly objects: readonly KubeObject[];
  readonly version: string;
}

/**
 * Lists a collection in pages; `query` narrows it (`fieldSelector`).
 * @throws KubeError as `KubeClient.request`.
 */
export async function listObjects(
  client: KubeClient,
  path: string,
  request: Pick<KubeRequest, 'signal' | 'accept'> = {},
  query: Readonly<Record<string, string>> = {},
): Promise<ListedObjects> {
  return await pages(client, path, request, query, PAGE);
}

async function pages(
  client: KubeClient,
  path: string,
  request: Pick<KubeRequest, 'signal' | 'accept'>,
  query: Readonly<Record<string, string>>,
  limit: number,
): Promise<ListedObjects> {
  const objects: KubeObject[] = [];
  let next = '';
  for (;;) {
    const asked = new URLSearchParams({ ...query, limit: String(limit), ...(next === '' ? {} : { continue: next }) });
    let answer: ListAnswer;
    try {
      answer = (await client.request(`${path}?${asked}`, request)) as ListAnswer;
    } catch (error) {
      // What came of the pages so far is too old by now: all in one, which cannot be.
      if (next !== '' && isExpired(error)) return await pages(client, path, request, query, 0);
      throw error;
    }
    objects.push(...(answer.items ?? []));
    next = answer.metadata?.continue ?? '';
    if (next === '') return { objects, version: answer.metadata?.resourceVersion ?? '' };
  }
}

/** Whether the version that was asked for is too old for the API to know. */
export function isExpired(error: unknown): boolean {
  return error instanceof KubeError && (error.status === 410 || error.reason === 'Expired' || error.reason === 'Gone');
}
