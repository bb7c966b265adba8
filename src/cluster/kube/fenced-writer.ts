import type { KubeClient } from './kube-client.ts';

/** Whether this process may write, asked anew each time. */
interface FencedWriterOptions {
  readonly client: Pick<KubeClient, 'request'>;
  readonly mayWrite: () => boolean;
}

/** Sends what changes something: in the time of this process alone, and no longer. */
export class FencedWriter {
  readonly #options: FencedWriterOptions;
  #writing = new AbortController();

  constructor(options: FencedWriterOptions) {
    this.#options = options;
  }

  /** @throws Error where this process does not lead (any more); what KubeClient throws. */
  readonly request: KubeClient['request'] = async (path, request) => {
    const { client, mayWrite } = this.#options;
    if (!mayWrite()) throw new Error('this process does not lead any more');
    return await client.request(path, { ...request, signal: this.#writing.signal, mayLeave: mayWrite });
  };

  /** Ends what is under way: whether it was done is not known then. */
  breakOff(): void {
    this.#writing.abort();
    this.#writing = new AbortController();
  }
}
