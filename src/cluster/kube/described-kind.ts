import { setTimeout as sleep } from 'node:timers/promises';
import { Backoff, REFLECTOR_BACKOFF } from './backoff.ts';
import { type KubeClient, KubeError } from './kube-client.ts';
import type { Reflector } from './reflector.ts';

/** A part of an OpenAPI v3 document, as far as it is read. */
export interface DescribedSchema {
  readonly properties?: Readonly<Record<string, DescribedSchema>>;
  readonly items?: DescribedSchema;
  readonly 'x-kubernetes-group-version-kind'?: readonly { readonly kind: string }[];
}

/** A kind that a cluster need not have, and nobody may watch the definition of. */
interface DescribedKindOptions {
  readonly client: Pick<KubeClient, 'request'>;
  /** Group with its version. */
  readonly apiVersion: string;
  readonly kind: string;
  readonly isUsable: (schema: DescribedSchema) => boolean;
  /** Begins to reflect the kind. */
  readonly begin: () => readonly Reflector[];
  readonly failed: (error: KubeError, againInMs: number) => void;
}

/**
 * Reflects a kind where the apiserver describes it when this process begins. Everybody may read that description (the ClusterRole system:discovery), but it is not
 * told when it changes, and nothing is to be asked for again and again: what is installed later is found by the next process.
 */
export class DescribedKind {
  readonly #options: DescribedKindOptions;
  readonly #stop = new AbortController();
  readonly #looking: Promise<void>;
  #kind: readonly Reflector[] = [];
  #isKnown = false;
  /** Resolves once it is known whether there is such a kind, and all its objects are. */
  readonly synced: Promise<void>;

  constructor(options: DescribedKindOptions) {
    this.#options = options;
    this.#looking = this.#look();
    this.synced = this.#looking
      .then(() => Promise.all(this.#kind.map(({ synced }) => synced)))
      .then(() => {
        this.#isKnown = this.#kind.length > 0;
      });
  }

  /** Whether there is such a kind, and all its objects are known. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#looking;
    await Promise.all(this.#kind.map((each) => each.stop()));
  }

  async #look(): Promise<void> {
    const { signal } = this.#stop;
    const { isUsable, begin, failed } = this.#options;
    const backoff = new Backoff({ ...REFLECTOR_BACKOFF, random: Math.random, now: () => performance.now() });
    while (!signal.aborted) {
      try {
        const schema = await this.#schema();
        if (schema !== undefined && !signal.aborted && isUsable(schema)) this.#kind = begin();
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof KubeError)) throw error;
        const wait = backoff.afterFailure(error.retryAfterMs);
        failed(error, wait);
        await sleep(wait, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  /**
   * Undefined where the API has no such kind. An apiserver that has just begun serves the kind some seconds before it describes it: it is asked again then.
   * https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-interface-definition
   */
  async #schema(): Promise<DescribedSchema | undefined> {
    const { apiVersion, kind } = this.#options;
    const { resources = [] } = ((await this.#ask(`/apis/${apiVersion}`)) ?? {}) as {
      readonly resources?: readonly { readonly kind: string }[];
    };
    if (!resources.some((each) => each.kind === kind)) return undefined;
    const described = (await this.#ask(`/openapi/v3/apis/${apiVersion}`)) as
      | { readonly components?: { readonly schemas?: Readonly<Record<string, DescribedSchema>> } }
      | undefined;
    const ofKind = ({ 'x-kubernetes-group-version-kind': kinds = [] }: DescribedSchema) => kinds.some((each) => each.kind === kind);
    const schema = Object.values(described?.components?.schemas ?? {}).find(ofKind);
    if (schema === undefined) throw new KubeError('the API does not describe this kind yet', { status: 404, reason: 'NotFound' });
    return schema;
  }

  /** Undefined for what is not there. */
  async #ask(path: string): Promise<unknown> {
    try {
      return await this.#options.client.request(path, { signal: this.#stop.signal });
    } catch (error) {
      if (error instanceof KubeError && error.status === 404) return undefined;
      throw error;
    }
  }
}
