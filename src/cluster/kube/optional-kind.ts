import type { KubeObject } from '../../core/istio/resources.ts';
import type { KubeClient, KubeError } from './kube-client.ts';
import { Reflector } from './reflector.ts';

/** A kind that a cluster need not have. */
interface OptionalKindOptions {
  readonly client: KubeClient;
  /** Name of its CustomResourceDefinition. */
  readonly definition: string;
  /** Whether that is one that can be used, told by its labels and annotations. */
  readonly isUsable: (definition: KubeObject) => boolean;
  /** Begins to reflect the kind. */
  readonly begin: () => readonly Reflector[];
  /** The kind is gone, and so are all its objects. */
  readonly ended: () => void;
  readonly failed: (error: KubeError, againInMs: number) => void;
}

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/**
 * Reflects a kind while the cluster has it. Whether it does is told by a watch of its one definition, of which names and annotations are enough: nothing is
 * asked for again and again where it is not.
 */
export class OptionalKind {
  readonly #options: OptionalKindOptions;
  readonly #definitions: Reflector;
  #kind: readonly Reflector[] | undefined;
  #isKnown = false;
  #ending = Promise.resolve();

  constructor(options: OptionalKindOptions) {
    this.#options = options;
    const { client, definition: name, failed } = options;
    this.#definitions = new Reflector({
      client,
      path: DEFINITIONS,
      name,
      metadataOnly: true,
      handler: {
        replaced: ([definition]) => this.#look(definition),
        applied: (definition) => this.#look(definition),
        deleted: () => this.#look(undefined),
        failed,
      },
    });
  }

  /** Resolves once it is known whether there is such a kind, and all its objects are. */
  get synced(): Promise<void> {
    return this.#definitions.synced.then(() => Promise.all((this.#kind ?? []).map(({ synced }) => synced))).then(() => undefined);
  }

  /** Whether there is such a kind, and all its objects are known. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  async stop(): Promise<void> {
    await this.#definitions.stop();
    await Promise.all((this.#kind ?? []).map((each) => each.stop()));
    await this.#ending;
  }

  #look(definition: KubeObject | undefined): void {
    const isThere = definition !== undefined && this.#options.isUsable(definition);
    if (isThere) this.#kind ??= this.#begin();
    else if (this.#kind !== undefined) {
      this.#isKnown = false;
      const ended = Promise.all(this.#kind.map((each) => each.stop()));
      this.#kind = undefined;
      this.#ending = this.#ending.then(() => ended).then(() => undefined);
      this.#options.ended();
    }
  }

  #begin(): readonly Reflector[] {
    const begun = this.#options.begin();
    void Promise.all(begun.map(({ synced }) => synced)).then(() => {
      if (this.#kind === begun) this.#isKnown = true;
    });
    return begun;
  }
}
