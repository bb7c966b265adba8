import { Registry } from 'prom-client';

/** A metric whose text its owner makes. */
export interface WrittenMetric {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  /** Samples in the text format, each with its line end. */
  readonly lines: string;
}

/**
 * What a runtime tells Prometheus, in its text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/). Counters and histograms are
 * kept as things happen; what is a state is read when somebody asks, and costs nothing until then.
 */
export class MetricsPage {
  /** What is registered here is on the page. */
  readonly registry = new Registry();
  readonly #readers: (() => Promise<void> | void)[] = [];
  readonly #writers: (() => readonly WrittenMetric[])[] = [];
  #reading: Promise<string> | undefined;

  get contentType(): string {
    return this.registry.contentType;
  }

  /** Has something read whenever somebody asks. */
  read(reader: () => Promise<void> | void): void {
    this.#readers.push(reader);
  }

  /** Has metrics written whenever somebody asks, behind the registered ones. */
  append(writer: () => readonly WrittenMetric[]): void {
    this.#writers.push(writer);
  }

  /** The metrics that are written, as they are now. */
  written(): readonly WrittenMetric[] {
    return this.#writers.flatMap((writer) => writer());
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
    const written = this.written().map(({ name, type, help, lines }) => `\n# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines}`);
    return (await this.registry.metrics()) + written.join('');
  }
}
