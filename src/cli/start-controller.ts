import { CertificateError } from '../cluster/certificates/certificate-files.ts';
import type { ReferenceGrant } from '../cluster/kube/cluster-admission.ts';
import { type EnvoyOptions, startClusterRuntime } from '../server/cluster-runtime.ts';
import { ListenError } from '../server/listen-error.ts';
import type { WebhookPlace } from '../server/webhook/webhook.ts';
import type { CliContext } from './cli-context.ts';
import { clusterAccess } from './cluster/cluster-access.ts';
import { CommandError } from './command-error.ts';
import { namespaceScope } from './options.ts';
import { perchVersion } from './perch-version.ts';
import { otherPort, portRemedy } from './port-remedy.ts';
import type { ClusterOptions } from './target-choice.ts';
import { terminalLog } from './terminal/terminal-log.ts';

/** Options of `perch controller`, as Commander gives them. */
export interface ControllerCommandOptions {
  readonly leaseNamespace: string;
  /** URLs; `none`: nobody is asked. Absent: whatever is found in `istioNamespace`. */
  readonly istiod?: readonly string[];
  readonly istioNamespace: string;
  readonly istiodTokenFile?: string;
  /** In ms. */
  readonly settle: number;
  readonly metricsPort?: number;
  readonly apiPort?: number;
  readonly webhookPort?: number;
  readonly webhookCert?: string;
  readonly watchNamespace?: readonly string[];
  readonly readNamespace?: readonly string[];
  readonly allowReferences?: readonly ReferenceGrant[];
  readonly patience: number;
}

/**
 * Starts what `perch controller` runs, and says which cluster it talks to. Throws CommandError where the options are of no use, or a port is taken.
 */
export async function runController(
  context: CliContext,
  cluster: ClusterOptions,
  options: ControllerCommandOptions,
): Promise<{ close(): Promise<void> }> {
  const { terminal } = context;
  const { leaseNamespace, metricsPort, apiPort, allowReferences: grants = [] } = options;
  const scope = namespaceScope(options.watchNamespace, options.readNamespace);
  const access = clusterAccess(cluster);
  const webhook = webhookOf(options);
  const runtime = await startClusterRuntime({
    access,
    scope,
    grants,
    leaseNamespace,
    envoys: envoysOf(options),
    version: perchVersion(),
    log: terminalLog(terminal),
    ...(metricsPort === undefined ? {} : { metricsPort }),
    ...(apiPort === undefined ? {} : { apiPort }),
    ...(webhook === undefined ? {} : { webhook }),
  }).catch((error: unknown) => {
    throw explain(error, options);
  });
  const where = scope === undefined ? '' : ` in ${scope.watched.join(', ')}`;
  terminal.out(`perch ${perchVersion()} controls releases at ${access.url}${where}, Ctrl-C ends it`);
  if (runtime.metricsPort !== undefined)
    terminal.out(`  metrics   http://127.0.0.1:${runtime.metricsPort}/metrics, with /healthz and /readyz`);
  if (runtime.apiPort !== undefined) terminal.out(`  dashboard http://127.0.0.1:${runtime.apiPort}`);
  if (runtime.apiPort !== undefined) terminal.out(`  API       http://127.0.0.1:${runtime.apiPort}/api/v1, with a token of the cluster`);
  return {
    close: async () => {
      terminal.out('perch ends; releases stay where they are');
      await runtime.close();
    },
  };
}

function webhookOf({ webhookPort: port, webhookCert: certificateFolder }: ControllerCommandOptions): WebhookPlace | undefined {
  if (port !== undefined && certificateFolder !== undefined) return { port, certificateFolder };
  if (port === undefined && certificateFolder === undefined) return undefined;
  throw new CommandError('--webhook-port and --webhook-cert go together: apiservers ask a webhook over TLS only');
}

function explain(error: unknown, { webhookPort, apiPort }: ControllerCommandOptions): unknown {
  if (error instanceof ListenError) {
    const option = error.port === webhookPort ? '--webhook-port' : error.port === apiPort ? '--api-port' : '--metrics-port';
    return portRemedy(error, `perch controller ${option} ${otherPort(error.port)}`);
  }
  return error instanceof CertificateError ? new CommandError(`${error.message}; see docs/guides/webhook.md`) : error;
}

function envoysOf({ istiod, istioNamespace, istiodTokenFile, settle, patience }: ControllerCommandOptions): EnvoyOptions {
  const istiods = istiod?.filter((each) => each !== 'none');
  return { istiods, istioNamespace, settleMs: settle, patienceMs: patience, tokenFile: istiodTokenFile };
}
