import { type KubeClient, KubeError, type KubeRequest } from './kube-client.ts';

/** Asks about one object; undefined where there is no such object. @throws KubeError for any other answer that is none. */
export async function findObject(client: KubeClient, path: string, request: KubeRequest = {}): Promise<unknown> {
  try {
    return await client.request(path, request);
  } catch (error) {
    if (error instanceof KubeError && error.status === 404 && error.reason === 'NotFound') return undefined;
    throw error;
  }
}
