import { KubeError, NO_CREDENTIALS } from '../../cluster/kube/kube-client.ts';
import { definitionsIn } from '../../cluster/kube/kube-resources.ts';
import { CommandError, NotAllowedError } from '../command-error.ts';
import { connectionFailure } from '../connection-failure.ts';

/** Which apiserver said it, and how it was found. */
export interface ClusterPlace {
  readonly url: string;
  /** Of the kubeconfig. */
  readonly context: string;
}

/** The cluster does not know the kind that was asked for. */
export class UnknownKindError extends CommandError {}

const ELSEWHERE = 'name another with --context NAME, or an embedded runtime with --server URL';

/** As people are told of it; what is no error of the API stays as it is. */
export function explainKubeError(error: unknown, { url, context }: ClusterPlace): unknown {
  if (!(error instanceof KubeError)) return error;
  const where = `the cluster at ${url} (context ${context})`;
  const said = spokenPart(error);
  if (error.reason === NO_CREDENTIALS) {
    return new NotAllowedError(
      `the kubeconfig lets nobody into ${where}: ${connectionFailure(error.cause)}; log in again, or ${ELSEWHERE}`,
    );
  }
  if (error.status === 0) return new CommandError(`cannot reach ${where}: ${connectionFailure(error.cause ?? error)}; ${ELSEWHERE}`);
  if (error.status === 401) return new NotAllowedError(`${where} does not know who you are: log in again, or ${ELSEWHERE}`);
  if (error.status === 403) return new NotAllowedError(forbiddenText(said));
  if (error.status === 404 && error.reason === '') {
    return new UnknownKindError(`${where} does not know ${lacking(error.message)}`);
  }
  return new CommandError(`${where} refuses: ${said}`);
}

/** What the API said, without the path that was asked. */
export function spokenPart({ message }: KubeError): string {
  return message.replace(/^\/\S*: /, '');
}

/** `/apis/perch.dev/v1alpha1/canaryreleases: 404 page not found`: what is missing, and what brings it. */
function lacking(message: string): string {
  const [, group = '', plural = ''] = /^\/apis\/([^/]+)\/[^/]+\/(?:namespaces\/[^/]+\/)?([^/:\s]+)/.exec(message) ?? [];
  const what = plural === '' ? 'what was asked for' : `${plural} (${group})`;
  const remedy = definitionsIn(group);
  return remedy === undefined ? what : `${what}: apply ${remedy}`;
}

/** What the authorizer says: k8s.io/apiserver, endpoints/handlers/responsewriters errors.go forbiddenMessage. */
const FORBIDDEN = /User "([^"]*)" cannot (\w+) resource "([^"]+)" in API group "([^"]*)"(?: in the namespace "([^"]+)")?/;
const VERBS: Readonly<Record<string, string>> = { get: 'read', patch: 'change', update: 'change' };

function forbiddenText(said: string): string {
  const [, user, verb = '', resource, group, namespace] = FORBIDDEN.exec(said) ?? [];
  if (user === undefined) return `the cluster does not allow it: ${deniedText(said)}`;
  const where = namespace === undefined ? 'of all namespaces' : `in namespace ${namespace}`;
  return `${user} may not ${VERBS[verb] ?? verb} ${resource} ${where}: ${remedyFor(verb, group ?? '', namespace)}`;
}

/** An admission policy or webhook: `ValidatingAdmissionPolicy 'NAME' with binding 'NAME' denied request: WHY`, `admission webhook "NAME" denied the request: WHY`. */
function deniedText(said: string): string {
  const [, kind, name, why] =
    /(ValidatingAdmissionPolicy|admission webhook) ['"]([^'"]+)['"].*? denied (?:the )?request: (.*)$/s.exec(said) ?? [];
  if (name === undefined || why === undefined) return said;
  return `${why} (${kind === 'admission webhook' ? 'webhook' : 'policy'} ${name})`;
}

function remedyFor(verb: string, group: string, namespace: string | undefined): string {
  const isLook = verb === 'get' || verb === 'list' || verb === 'watch';
  const there = namespace === undefined ? 'in the whole cluster' : 'there';
  if (!isLook && group !== 'perch.dev') return 'ask whoever runs the cluster for that right';
  const role = `ask whoever runs the cluster for the role ${isLook ? 'perch-viewer' : 'perch-author'} ${there}`;
  return namespace === undefined && isLook ? `name a namespace with -n, or ${role}` : role;
}
