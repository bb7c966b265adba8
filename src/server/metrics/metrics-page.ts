import { Registry } from 'prom-client';

/** A metric whose text its owner makes. */
export interface WrittenMetric {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  /** Samples in the text format, in pieces of whole lines, made as they are read; each time the same: what there was when the metric was written. */
  lines(): Iterable<string>;
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
  #reading: Promise<Page> | undefined;

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

  /** The page as it is now, in pieces: it may have tens of megabytes. Who asks while it is read gets the same one. */
  async pieces(): Promise<Iterable<string>> {
    this.#reading ??= this.#make().finally(() => {
      this.#reading = undefined;
    });
    return piecesOf(await this.#reading);
  }

  async #make(): Promise<Page> {
    for (const reader of this.#readers) await reader();
    return { registered: await this.registry.metrics(), written: this.written() };
  }
}

/** A page as it was at one moment. */
interface Page {
  readonly registered: string;
  readonly written: readonly WrittenMetric[];
}

function* piecesOf({ registered, written }: Page): Generator<string, void> {
  yield registered;
  for (const metric of written) {
    const { name, type, help } = metric;
    yield `\n# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
    yield* metric.lines();
  }
}
