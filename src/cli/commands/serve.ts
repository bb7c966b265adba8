import { once } from 'node:events';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { GatewayLimits } from '../../gateway/limits.ts';
import { accessLogOption } from '../access-log-option.ts';
import { addApiPlaceOptions } from '../api-place-options.ts';
import { type AddCommand, type CliContext, examples } from '../cli-context.ts';
import { readLimit } from '../limit-text.ts';
import { parsePort } from '../options.ts';
import type { ServeOptions } from '../start-serve.ts';
import { tracingOptions } from '../tracing-option.ts';

/** `9080=19080`: the declared port, and the one to listen on. Repeatable. */
function parseMap(text: string, former: ReadonlyMap<number, number>): ReadonlyMap<number, number> {
  const [, declared = '', actual = ''] = /^(\d+)=(\d+)$/.exec(text) ?? [];
  if (declared === '') throw new InvalidArgumentError('It is not DECLARED=ACTUAL, such as 9080=19080.');
  return new Map(former).set(parsePort(declared), parsePort(actual));
}

function parseProxyPort(text: string): number | 'off' {
  return text === 'off' ? 'off' : parsePort(text);
}

/** `requestHeadBytes=64KiB`. Repeatable; of the same limit the last one holds. */
function parseLimit(text: string, former: Partial<GatewayLimits>): Partial<GatewayLimits> {
  const limit = readLimit(text);
  if ('problem' in limit) throw new InvalidArgumentError(limit.problem);
  return { ...former, [limit.name]: limit.value };
}

/** More are of no use, and would open as many connections to every endpoint. */
const MOST_WORKERS = 64;

function parseWorkers(text: string): number {
  const count = /^\d{1,2}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > MOST_WORKERS) throw new InvalidArgumentError(`It is not a number of processes from 1 to ${MOST_WORKERS}.`);
  return count;
}

/** `perch serve`. */
export const addServe: AddCommand = (program: Command, context: CliContext) => {
  const command = program
    .command('serve')
    .description('serve Istio files and releases on this machine: gateway, releases and API in one process, until Ctrl-C')
    .configureHelp({ showGlobalOptions: false })
    .option('-f, --file <path...>', 'files or directories (recursively: .yaml, .yml, .json) to apply at the start')
    .option('-w, --watch', 'apply the files again when they change')
    .option('--prune', 'delete objects that an earlier start applied and that left the files')
    .addOption(new Option('--api-port <port>', 'port of the HTTP API; 0: any free one').argParser(parsePort).default(7070))
    .option('--data <dir>', 'where objects and releases are kept', '.perch')
    .addOption(
      new Option('--map <declared=actual>', 'listen on another port than the files declare; 0: any free one; repeatable')
        .argParser(parseMap)
        .default(new Map<number, number>(), 'as declared'),
    )
    .addOption(
      new Option('--proxy-port <port>', 'port of the HTTP proxy through which services call each other, or off')
        .argParser(parseProxyPort)
        .default(15_080),
    )
    .addOption(
      new Option('--limit <name=value>', 'a limit of the gateway (docs/reference/gateway-limits.md); repeatable')
        .argParser(parseLimit)
        .default({}, 'as listed there'),
    )
    .option('--credentials <dir>', 'where the certificates are that HTTPS servers name: NAME/tls.crt and NAME/tls.key')
    .addOption(accessLogOption())
    .addOption(
      new Option('--workers <n>', 'processes that share the ports and the work of the gateway, for several cores; 1: this one')
        .argParser(parseWorkers)
        .default(1),
    );
  for (const option of tracingOptions()) command.addOption(option);
  addApiPlaceOptions(command)
    .addHelpText(
      'after',
      examples(
        ['perch serve -f examples/bookinfo/', 'the files of a directory, state in ./.perch'],
        ['perch serve -f routes/ --watch', 'apply again at each change'],
        ['perch serve -f routes/ --map 9080=19080 --map 8080=0', 'listen elsewhere'],
        ['perch serve --limit requestHeadBytes=128KiB', 'let larger request heads pass'],
        ['perch serve -f routes/ --credentials certificates/', 'HTTPS servers with a credentialName'],
        [
          'perch serve --api-bind 0.0.0.0 --api-host perch.example \\\n    --api-tls-cert tls.crt --api-tls-key tls.key --api-token-file tokens',
          'let others look and act from elsewhere (docs/guides/api-access.md)',
        ],
        ['perch serve --workers 4', 'a gateway of four processes'],
        ['perch serve -f routes/ --access-log /var/log/perch.log', 'log requests; logrotate may rename the file'],
        ['perch serve -f routes/ --access-log - | jq .response_flags', 'the same to stdout'],
        ['perch serve --otlp-endpoint http://127.0.0.1:4318 --trace-sampling 1', 'trace every hundredth request'],
        ['perch serve', 'go on with what ./.perch holds'],
      ),
    )
    .action(async (options: ServeOptions) => {
      context.runsUntilEnded();
      // The runtime takes time to load; every other command does without.
      const { startServe } = await import('../start-serve.ts');
      const running = await startServe(context, options);
      try {
        if (!context.signal.aborted) await once(context.signal, 'abort');
      } finally {
        await running.close();
      }
    });
};
