import { once } from 'node:events';
import { type Command, Help, InvalidArgumentError, Option } from 'commander';
import { LEASE_NAMESPACE } from '../../cluster/kube/lease-namespace.ts';
import { type AddCommand, type CliContext, examples } from '../cli-context.ts';
import { collectGrants, collectNamespaces, parsePort, parseSpan } from '../options.ts';
import type { ControllerCommandOptions } from '../start-controller.ts';
import { clusterOptions, givenOptions } from '../target-choice.ts';

/** `perch controller`. */
export const addController: AddCommand = (program: Command, context: CliContext) => {
  program
    .command('controller')
    .description('run releases in a Kubernetes cluster with Istio, until Ctrl-C (docs/kubernetes.md)')
    .configureHelp({ showGlobalOptions: true, visibleGlobalOptions: clusterOptionsOnly })
    .optionsGroup('Its place in the cluster:')
    .addOption(
      new Option('--watch-namespace <names>', 'run releases there only: a, or a,b, or the option again; default: everywhere').argParser(
        collectNamespaces,
      ),
    )
    .addOption(
      new Option('--read-namespace <names>', 'with --watch-namespace: read there too, as where the gateways are').argParser(
        collectNamespaces,
      ),
    )
    .addOption(
      new Option(
        '--allow-references <from:to>',
        'releases of the namespace FROM may name services and gateways of TO (*: any); several with commas',
      ).argParser(collectGrants),
    )
    .addOption(new Option('--lease-namespace <namespace>', 'where controllers agree which one leads').default(LEASE_NAMESPACE))
    .optionsGroup('When Envoys have a change:')
    .addOption(
      new Option('--istiod <url...>', 'whom to ask what Envoys have, or none; default: every istiod in the namespace of Istio').argParser(
        parseIstiod,
      ),
    )
    .addOption(new Option('--istio-namespace <namespace>', 'where istiod is').default('istio-system'))
    .addOption(new Option('--istiod-token-file <file>', 'a token for the audience istio-ca, by which istiod knows who asks'))
    .addOption(
      new Option('--settle <duration>', 'how long after a change of routes the Envoys are taken to have it where istiod does not tell')
        .argParser(parseSpan)
        .default(2000, '2s'),
    )
    .addOption(
      new Option('--patience <duration>', 'how long to wait for an Envoy that does not take a change')
        .argParser(parseSpan)
        .default(30_000, '30s'),
    )
    .optionsGroup('What it serves:')
    .addOption(
      new Option('--metrics-port <port>', 'serve /metrics, /healthz and /readyz there, on all addresses; 0: any free port').argParser(
        parsePort,
      ),
    )
    .addOption(
      new Option(
        '--api-port <port>',
        'serve the HTTP API on loopback there, to those who send a token of the cluster; 0: any free port',
      ).argParser(parsePort),
    )
    .addOption(
      new Option('--webhook-port <port>', 'serve a webhook that weaves what others write on its way (docs/guides/webhook.md)').argParser(
        parsePort,
      ),
    )
    .addOption(new Option('--webhook-cert <dir>', 'where its tls.crt and tls.key are; taken up again as they change'))
    .addHelpText(
      'after',
      examples(
        ['perch controller', 'the cluster that kubectl talks to'],
        ['perch controller --context staging', 'another one of the kubeconfig'],
        ['perch controller --metrics-port 8080', 'as in a pod, for Prometheus and the kubelet'],
        ['perch controller --watch-namespace shop --read-namespace istio-system', 'one tenant’s, whose gateway is elsewhere'],
        ['perch controller --webhook-port 9443 --webhook-cert /etc/perch/tls', 'whoever applies routes again applies them woven'],
        ['perch controller --istiod none --settle 5s', 'a large mesh whose istiod may not be asked'],
      ),
    )
    .action(async (options: ControllerCommandOptions, command: Command) => {
      context.runsUntilEnded();
      // The client of Kubernetes takes time to load; every other command does without.
      const { runController } = await import('../start-controller.ts');
      const running = await runController(context, clusterOptions(givenOptions(command), context), options);
      try {
        if (!context.signal.aborted) await once(context.signal, 'abort');
      } finally {
        await running.close();
      }
    });
};

/** Of the program's options those that name a cluster: all namespaces are its. */
function clusterOptionsOnly(this: Help, command: Command): Option[] {
  return Help.prototype.visibleGlobalOptions.call(this, command).filter(({ long }) => long === '--kubeconfig' || long === '--context');
}

/** One more of them; without a slash at its end. */
function parseIstiod(text: string, former: readonly string[] = []): readonly string[] {
  if (text === 'none') return [...former, text];
  if (!/^https?:$/.test(URL.parse(text)?.protocol ?? ''))
    throw new InvalidArgumentError('It is neither none nor a URL such as http://127.0.0.1:15014.');
  return [...former, text.replace(/\/+$/, '')];
}
