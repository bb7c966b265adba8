import { InvalidArgumentError, Option } from 'commander';
import type { TelemetryOptions } from '../server/telemetry.ts';
import type { CliContext } from './cli-context.ts';
import { CommandError } from './command-error.ts';
import { perchVersion } from './perch-version.ts';

/** What of the options of `perch serve` and `demo` is about traces. */
export interface TracingOptions {
  readonly otlpEndpoint?: string;
  readonly traceSampling: number;
}

const PATH = '/v1/traces';

function parsePercent(text: string): number {
  const percent = /^\d{1,3}(?:\.\d{1,4})?$/.test(text) ? Number(text) : Number.NaN;
  if (!(percent <= 100)) throw new InvalidArgumentError('It is not a percentage from 0 to 100.');
  return percent;
}

/** `--otlp-endpoint` and `--trace-sampling`. */
export function tracingOptions(): readonly Option[] {
  return [
    new Option(
      '--otlp-endpoint <url>',
      'send a span for each sampled request to an OpenTelemetry collector, by OTLP/HTTP (default: OTEL_EXPORTER_OTLP_ENDPOINT; without it nothing is traced)',
    ),
    new Option('--trace-sampling <percent>', 'of the requests that bring no trace along, how many begin one that is sampled')
      .argParser(parsePercent)
      .default(100),
  ];
}

/**
 * Where spans go, by the options or else by OpenTelemetry's own variables
 * (https://opentelemetry.io/docs/specs/otel/protocol/exporter/); undefined: nowhere.
 * @throws CommandError for what is no http or https URL, or no list of headers.
 */
export function tracingOf({ otlpEndpoint, traceSampling }: TracingOptions, { environment }: CliContext): TelemetryOptions['tracing'] {
  const whole = otlpEndpoint === undefined ? environment['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] : undefined;
  const base = otlpEndpoint ?? environment['OTEL_EXPORTER_OTLP_ENDPOINT'];
  const text = whole || base;
  if (text === undefined || text === '' || environment['OTEL_SDK_DISABLED'] === 'true') return undefined;
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw new CommandError(`${text} is no address of a collector: write http://HOST:4318; credentials go into OTEL_EXPORTER_OTLP_HEADERS`);
  }
  if (!whole && !url.pathname.endsWith(PATH)) url.pathname = url.pathname.replace(/\/*$/, PATH);
  return {
    url: url.href,
    headers: headersOf(environment['OTEL_EXPORTER_OTLP_TRACES_HEADERS'] ?? environment['OTEL_EXPORTER_OTLP_HEADERS'] ?? ''),
    serviceName: environment['OTEL_SERVICE_NAME'] || 'perch-gateway',
    version: perchVersion(),
    share: traceSampling / 100,
  };
}

/** `api-key=a,other=b`, values percent-encoded. */
function headersOf(text: string): Readonly<Record<string, string>> {
  try {
    const pairs = text.split(',').filter((pair) => pair.trim() !== '');
    const headers = new Headers(
      pairs.map((pair): [string, string] => {
        const at = pair.indexOf('=');
        if (at < 1) throw new Error('not a pair');
        return [pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())];
      }),
    );
    return Object.fromEntries(headers);
  } catch {
    // Not shown: it may hold credentials.
    throw new CommandError('OTEL_EXPORTER_OTLP_HEADERS is not a list such as api-key=abc,x-tenant=shop');
  }
}
