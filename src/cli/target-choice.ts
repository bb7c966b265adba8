import { type Command, Option } from 'commander';
import type { UsualNamespace } from '../core/source/kube-object.ts';
import type { ApiCredentials } from './api-credentials.ts';
import type { CliContext } from './cli-context.ts';
import { CommandError } from './command-error.ts';
import type { ReleaseClient } from './release-client.ts';

/** Where `perch serve` and `perch demo` listen unless told otherwise. */
export const DEFAULT_SERVER = 'http://127.0.0.1:7070';

/** What a command line says about where it is to act. */
export interface TargetOptions {
  readonly server?: string | undefined;
  readonly namespace?: string | undefined;
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly caFile?: string | undefined;
}

/** A cluster, as far as it is named; the rest is as for `kubectl`. */
export interface ClusterOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** What is meant by them. */
export type TargetChoice =
  | { readonly kind: 'embedded'; readonly server: string; readonly credentials: ApiCredentials }
  /** `named`: as far as the command line itself says so. */
  | { readonly kind: 'cluster'; readonly cluster: ClusterOptions; readonly named: ClusterOptions };

/** What was chosen, ready to be talked to. */
export interface OpenedTarget {
  readonly client: ReleaseClient;
  /** The one that is meant where none is named. */
  readonly namespace: string;
}

/** The program's options that say where commands act. */
export function targetOptions(): readonly Option[] {
  return [
    new Option('--server <url>', 'the embedded runtime to talk to').env('PERCH_SERVER').default(DEFAULT_SERVER),
    new Option('--token-file <file>', 'a file with the token that the runtime asks for').env('PERCH_TOKEN_FILE'),
    new Option('--ca-file <file>', 'who vouches for the runtime’s certificate, in PEM (default: the system’s authorities)').env(
      'PERCH_CA_FILE',
    ),
    new Option('--kubeconfig <file>', 'the cluster to talk to instead, and as whom').env('PERCH_KUBECONFIG'),
    new Option('--context <context>', 'the same, by a context of the kubeconfig').env('PERCH_CONTEXT'),
    new Option(
      '-n, --namespace <namespace>',
      'the namespace to look in, and that of files that name none (default: default, or the context’s)',
    ),
  ];
}

/** Set to nothing, as in many a shell script, a variable is not set. */
function variable({ environment }: Pick<CliContext, 'environment'>, name: string): string | undefined {
  return environment[name] || undefined;
}

/** A cluster by the options, else by the environment. */
export function clusterOptions({ kubeconfig, context: name }: TargetOptions, context: Pick<CliContext, 'environment'>): ClusterOptions {
  return options(kubeconfig ?? variable(context, 'PERCH_KUBECONFIG'), name ?? variable(context, 'PERCH_CONTEXT'));
}

function options(kubeconfig: string | undefined, context: string | undefined): ClusterOptions {
  return { ...(kubeconfig === undefined ? {} : { kubeconfig }), ...(context === undefined ? {} : { context }) };
}

function credentialsOf({ tokenFile, caFile }: TargetOptions, context: Pick<CliContext, 'environment'>): ApiCredentials {
  return { tokenFile: tokenFile ?? variable(context, 'PERCH_TOKEN_FILE'), caFile: caFile ?? variable(context, 'PERCH_CA_FILE') };
}

/** Options before the environment; `kubectl perch` means a cluster unless it is told otherwise. Throws CommandError where two targets are named. */
export function chooseTarget(given: TargetOptions, context: Pick<CliContext, 'environment' | 'isPlugin'>): TargetChoice {
  const { server, kubeconfig, context: name } = given;
  const cluster: TargetChoice = { kind: 'cluster', cluster: clusterOptions(given, context), named: options(kubeconfig, name) };
  const isCluster = kubeconfig !== undefined || name !== undefined;
  const embedded = (server: string): TargetChoice => ({ kind: 'embedded', server, credentials: credentialsOf(given, context) });
  const credential = given.tokenFile === undefined ? (given.caFile === undefined ? undefined : '--ca-file') : '--token-file';
  if (credential !== undefined && server === undefined && (isCluster || context.isPlugin === true)) {
    throw new CommandError(`${credential} is for an embedded runtime, which --server names; a cluster is asked as its kubeconfig says`);
  }
  if (server !== undefined) {
    if (isCluster) throw new CommandError('--server names an embedded runtime, --kubeconfig and --context a cluster: give one of the two');
    return embedded(server);
  }
  if (isCluster || context.isPlugin === true) return cluster;
  const usual = variable(context, 'PERCH_SERVER');
  const [set] = ['PERCH_KUBECONFIG', 'PERCH_CONTEXT'].filter((each) => variable(context, each) !== undefined);
  if (set === undefined) return embedded(usual ?? DEFAULT_SERVER);
  if (usual !== undefined) {
    throw new CommandError(`PERCH_SERVER names an embedded runtime, ${set} a cluster: unset one, or say --server or --context`);
  }
  return cluster;
}

/** The namespace of files, where `--namespace` names one: for commands that need nothing but files. */
export function askedNamespace(command: Command): UsualNamespace | undefined {
  const { namespace } = givenOptions(command);
  return namespace === undefined ? undefined : { name: namespace, isRequired: true };
}

/** What the command line itself says, without the environment. */
export function givenOptions(command: Command): TargetOptions {
  const all = command.optsWithGlobals<TargetOptions>();
  const given = (name: keyof TargetOptions): string | undefined =>
    command.getOptionValueSourceWithGlobals(name) === 'cli' ? all[name] : undefined;
  return {
    server: given('server'),
    namespace: given('namespace'),
    kubeconfig: given('kubeconfig'),
    context: given('context'),
    tokenFile: given('tokenFile'),
    caFile: given('caFile'),
  };
}
