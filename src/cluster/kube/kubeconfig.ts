import { Agent, type RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import type { KubeAccess } from './kube-client.ts';

/** Which cluster is meant; as `kubectl` takes it where absent: KUBECONFIG, ~/.kube/config, and in a pod its service account. */
export interface ClusterChoice {
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** A cluster as a kubeconfig describes it. */
export interface KubeconfigAccess extends KubeAccess {
  /** Name of the context that was taken. */
  readonly context: string;
  /** The namespace that the context names. */
  readonly namespace: string | undefined;
}

/**
 * The access that a kubeconfig describes, with everything that such files may hold (certificates, tokens, programs that give tokens, proxies).
 * @throws Error where the file cannot be read, or names no such context, or no cluster for it, and where there is none.
 */
export function kubeAccess(choice: ClusterChoice = {}): KubeconfigAccess {
  const config = loadConfig(choice);
  const { context } = choice;
  if (context !== undefined) {
    if (config.getContextObject(context) === null) throw new Error(`the kubeconfig has no context ${context}; it has ${namesOf(config)}`);
    config.setCurrentContext(context);
  }
  const taken = config.getCurrentContext();
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    const why =
      taken === undefined || taken === ''
        ? 'the kubeconfig has no current context'
        : `the kubeconfig names no cluster for the context ${taken}`;
    throw new Error(`${why}; its contexts: ${namesOf(config)}`);
  }
  const hasProxy = cluster.proxyUrl !== undefined && cluster.proxyUrl !== '';
  const agentFor = keepingAgents();
  return {
    url: cluster.server.replace(/\/+$/, ''),
    context: taken,
    namespace: config.getContextObject(taken)?.namespace,
    async authenticate(options) {
      await config.applyToHTTPSOptions(options);
      // Its own agents open a connection for each request.
      if (!hasProxy && cluster.server.startsWith('https:')) options.agent = agentFor(options);
    },
  };
}

/** Names of the contexts of a kubeconfig. @throws Error as `kubeAccess`. */
export function kubeconfigContexts(choice: ClusterChoice): readonly string[] {
  return loadConfig(choice)
    .getContexts()
    .map(({ name }) => name);
}

function namesOf(config: KubeConfig): string {
  return (
    config
      .getContexts()
      .map(({ name }) => name)
      .join(', ') || 'none'
  );
}

/** Where nothing says which cluster, the library goes on with this one, which nobody means. */
const NOBODYS_SERVER = 'http://localhost:8080';

function loadConfig({ kubeconfig }: ClusterChoice): KubeConfig {
  const config = new KubeConfig();
  try {
    if (kubeconfig === undefined) config.loadFromDefault();
    else config.loadFromFile(kubeconfig);
  } catch (error) {
    // Of a mistake in YAML the library shows the lines around it, with whatever secrets they hold.
    const [reason] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new Error(`the kubeconfig cannot be read: ${reason}`, { cause: error });
  }
  if (
    kubeconfig === undefined &&
    config.getCurrentCluster()?.server === NOBODYS_SERVER &&
    config.getCurrentContext() === 'loaded-context'
  ) {
    throw new Error('there is no kubeconfig: KUBECONFIG is not set, ~/.kube/config is not there, and this is no pod');
  }
  return config;
}

/** Gives an agent that keeps connections, another one when certificates change. */
function keepingAgents(): (options: RequestOptions) => Agent {
  let last: { readonly key: string; readonly agent: Agent } | undefined;
  return ({ ca, cert, key, pfx, passphrase, rejectUnauthorized, servername }) => {
    const identity = JSON.stringify([ca, cert, key, pfx, passphrase, rejectUnauthorized, servername].map((each) => String(each)));
    if (last?.key !== identity) {
      const wanted = { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername };
      const given = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
      last = { key: identity, agent: new Agent({ ...given, keepAlive: true }) };
    }
    return last.agent;
  };
}
