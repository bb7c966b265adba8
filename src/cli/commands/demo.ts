import { InvalidArgumentError, Option } from 'commander';
import { type AddCommand, examples } from '../cli-context.ts';
import { parseCount, parsePort, parseSpan } from '../options.ts';
import type { DemoOptions } from '../run-demo.ts';
import { tracingOptions } from '../tracing-option.ts';

/** `manual`, or a duration, kept as it is written. */
function parseHold(text: string): string {
  if (text !== 'manual' && parseSpan(text) === 0) throw new InvalidArgumentError('It must be longer than nothing.');
  return text;
}

/** `perch demo`. */
export const addDemo: AddCommand = (program, context) => {
  const command = program
    .command('demo')
    .description('Bookinfo, a gateway, a release of reviews and visitors: all on this machine, until Ctrl-C')
    .configureHelp({ showGlobalOptions: false })
    .addOption(new Option('--gateway-port <port>', 'where browsers come in; 0: any free one').argParser(parsePort).default(8080))
    .addOption(new Option('--api-port <port>', 'port of the HTTP API on loopback; 0: any free one').argParser(parsePort).default(7070))
    .option('--data <dir>', 'keep the state there (default: in a new directory, removed at the end)')
    .addOption(
      new Option(
        '--hold <duration>',
        'how long each step lasts, or manual: until you promote (default: as in examples/bookinfo/release.yaml)',
      ).argParser(parseHold),
    )
    .addOption(
      new Option('--mode <mode>', 'how visitors stay put: by their bucket, or as in the article')
        .choices(['visitor', 'canaryOnly'])
        .default('visitor'),
    )
    .addOption(new Option('--visitors <count>', 'synthetic visitors').argParser(parseCount).default(200))
    .option('--no-visitors', 'no synthetic visitors')
    .option('--access-log <file>', 'a line of JSON for each request');
  for (const option of tracingOptions()) command.addOption(option);
  command
    .addHelpText(
      'after',
      examples(
        ['perch demo', 'open the address it prints, and refresh'],
        ['perch demo --hold 2m', 'take more time for each step'],
        ['perch demo --hold manual', 'each step lasts until perch promote reviews'],
        ['perch demo --mode canaryOnly', 'the article’s own scheme: refresh until v2 appears, then it stays'],
        ['perch demo --gateway-port 8090 --api-port 7071', 'on other ports'],
        ['perch demo --no-visitors', 'you alone'],
        ['perch demo --otlp-endpoint http://127.0.0.1:4318', 'with traces, for Jaeger or another collector there'],
      ),
    )
    .action(async (options: DemoOptions) => {
      context.runsUntilEnded();
      // The runtime and the demo's services take time to load; every other command does without.
      const { runDemo } = await import('../run-demo.ts');
      await runDemo(context, options);
    });
};
