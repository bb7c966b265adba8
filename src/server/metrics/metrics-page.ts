import { Registry } from 'prom-client';

/**
 * What a runtime tells Prometheus, in its text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/). Counters and histograms are
 * kept as things happen; what is a state is read when somebody asks, and costs nothing until then.
 */
export class MetricsPage {
  /** What is registered here is on the page. */
  readonly registry = new Registry();
  readonly #readers: (() => Promise<void> | void)[] = [];
  #reading: Promise<string> | undefined;

  get contentType(): string {
    return this.registry.contentType;
  }

  /** Has something read whenever somebody asks. */
  read(reader: () => Promise<void> | void): void {
    this.#readers.push(reader);
  }

  /** The page as it is now; who asks while it is made gets the same one. */
  text(): Promise<string> {
    this.#reading ??= this.#make().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #make(): Promise<string> {
    for (const reader of this.#readers) await reader();
    return await this.registry.metrics();
  }
}
