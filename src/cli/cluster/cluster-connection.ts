import { findObject } from '../../cluster/kube/find-object.ts';
import type { KubeClient, KubeRequest } from '../../cluster/kube/kube-client.ts';
import { type ListedObjects, listObjects } from '../../cluster/kube/list-objects.ts';
import { type ClusterPlace, explainKubeError } from './explain-kube-error.ts';

/** As whom the command line writes: the field manager of what it applies and asks for. */
export const FIELD_MANAGER = 'perch-cli';

/** An apiserver, as one command talks to it. What it refuses is explained to people: CommandError, NotAllowedError, UnknownKindError. */
export class ClusterConnection {
  readonly client: KubeClient;
  readonly signal: AbortSignal;
  readonly #place: ClusterPlace;

  constructor(client: KubeClient, place: ClusterPlace, signal: AbortSignal) {
    this.client = client;
    this.signal = signal;
    this.#place = place;
  }

  async request(path: string, request: KubeRequest = {}): Promise<unknown> {
    try {
      return await this.client.request(path, { signal: this.signal, ...request });
    } catch (error) {
      throw this.explain(error);
    }
  }

  /** Undefined where there is no such object. */
  async find(path: string, request: KubeRequest = {}): Promise<unknown> {
    try {
      return await findObject(this.client, path, { signal: this.signal, ...request });
    } catch (error) {
      throw this.explain(error);
    }
  }

  async list(path: string, query: Readonly<Record<string, string>> = {}): Promise<ListedObjects['objects']> {
    try {
      return (await listObjects(this.client, path, { signal: this.signal }, query)).objects;
    } catch (error) {
      throw this.explain(error);
    }
  }

  /** An error as people are told of it; of a command that is to end, the error itself. */
  explain(error: unknown): unknown {
    return this.signal.aborted ? error : explainKubeError(error, this.#place);
  }
}
