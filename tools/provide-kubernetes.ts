// `node tools/provide-kubernetes.ts` prints the paths of what tests of the real API need: an etcd, which comes from Debian, a kube-apiserver, a kubectl, a Helm and an istiod, which are built once, and the CustomResourceDefinitions of Istio and Gateway API.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findExecutable, installOnDebian } from './debian-package.ts';
import { assertRuns, cachePath, downloadModule, type GoProgram, inGoModule, provideGoProgram } from './go-program.ts';

/** The Kubernetes that Perch is proved against. */
const KUBERNETES_VERSION = '1.36.3';
/** The Helm that renders the chart. */
const HELM_VERSION = '4.3.2';
/** The Istio whose CustomResourceDefinitions the API gets. */
const ISTIO_VERSION = '1.32.0';
/** The only version of the module with istiod that module proxies offer: of the development of 1.32. */
const ISTIOD_VERSION = 'v0.0.0-20260827124520-eed52ebb66ad';

/** The Gateway API whose CustomResourceDefinitions it gets too. */
const GATEWAY_API_VERSION = '1.6.1';

/** What a test of the real API runs, and applies. */
interface KubernetesParts {
  readonly etcd: string;
  readonly apiserver: string;
  readonly kubectl: string;
  readonly helm: string;
  readonly istiod: string;
  readonly istioCrds: string;
  readonly gatewayApiCrds: string;
}

/** Go's libraries of Kubernetes stand beside it, and have their own numbers: v0.36.3 for v1.36.3. */
const LIBRARY_VERSION = KUBERNETES_VERSION.replace(/^1\./, '0.');

const APISERVER: GoProgram = {
  what: `kube-apiserver ${KUBERNETES_VERSION}`,
  module: 'k8s.io/kubernetes',
  version: `v${KUBERNETES_VERSION}`,
  package: 'k8s.io/kubernetes/cmd/kube-apiserver',
  replaces: (goMod) => libraries(goMod).map((name) => `replace ${name} => ${name} v${LIBRARY_VERSION}`),
  asks: ['--version'],
  answers: /^Kubernetes v/,
};

/** It has kustomize in it. From the same libraries as the apiserver: most of it is compiled by then. */
const KUBECTL: GoProgram = {
  ...APISERVER,
  what: `kubectl ${KUBERNETES_VERSION}`,
  package: 'k8s.io/kubernetes/cmd/kubectl',
  asks: ['version', '--client'],
  answers: /^Client Version: v/,
};

const HELM: GoProgram = {
  what: `helm ${HELM_VERSION}`,
  module: 'helm.sh/helm/v4',
  version: `v${HELM_VERSION}`,
  package: 'helm.sh/helm/v4/cmd/helm',
  asks: ['version', '--short'],
  answers: /^v4/,
};

const ISTIOD: GoProgram = {
  what: `istiod ${ISTIOD_VERSION}`,
  module: 'istio.io/istio',
  version: ISTIOD_VERSION,
  package: 'istio.io/istio/pilot/cmd/pilot-discovery',
  asks: ['version'],
  answers: /version/,
};

/** Libraries that Kubernetes' own go.mod finds beside it, in its repository: as a module they have to be named by version. */
function libraries(goMod: string): readonly string[] {
  const beside = [...goMod.matchAll(/^\s*(?:replace )?(k8s\.io\/[a-z0-9-]+) => \.\/staging\//gm)].map(([, name = '']) => name);
  const unversioned = [...goMod.matchAll(/^\s*(?:require )?(k8s\.io\/[a-z0-9-]+) v0\.0\.0(?:\s|$)/gm)].map(([, name = '']) => name);
  return [...new Set([...beside, ...unversioned])];
}

async function provideEtcd(environment: NodeJS.ProcessEnv): Promise<string> {
  let executable = environment['PERCH_ETCD'] ?? '';
  if (executable === '') executable = findExecutable(['etcd'], environment) ?? '';
  if (executable === '') {
    await installOnDebian('etcd-server');
    executable = findExecutable(['etcd'], environment) ?? '';
  }
  if (executable === '') {
    throw new Error(
      'The tests of the Kubernetes API need etcd, and there is none on the PATH. Install it (Debian: sudo apt-get install etcd-server), or set PERCH_ETCD to the path of one.',
    );
  }
  await assertRuns(executable, ['--version'], /etcd Version/, 'etcd');
  return executable;
}

/** A program of Go: as `variable` says, else from the cache, built there first where there is none. */
async function provideProgram(
  program: GoProgram,
  folder: string,
  name: string,
  variable: string,
  environment: NodeJS.ProcessEnv,
): Promise<string> {
  const given = environment[variable] ?? '';
  const executable = given === '' ? await provideGoProgram(program, cachePath(environment, folder, name), variable, environment) : given;
  await assertRuns(executable, program.asks, program.answers, program.what);
  return executable;
}

/** A file of a Go module, made of what `textIn` finds in its folder: as `variable` says, else from the cache, put there first where it is not. */
async function provideManifest(
  {
    name,
    module,
    textIn,
  }: { readonly name: string; readonly module: readonly [string, string]; readonly textIn: (folder: string) => string },
  variable: string,
  environment: NodeJS.ProcessEnv,
): Promise<string> {
  const given = environment[variable] ?? '';
  if (given !== '') return given;
  const path = cachePath(environment, name);
  if (existsSync(path)) return path;
  await inGoModule(async (folder) => {
    const { Dir } = await downloadModule(...module, folder, environment);
    mkdirSync(dirname(path), { recursive: true });
    const partial = `${path}-partial-${process.pid}`;
    writeFileSync(partial, textIn(Dir));
    renameSync(partial, path);
  });
  return path;
}

const ISTIO_CRDS = {
  name: `istio-crds-${ISTIO_VERSION}.yaml`,
  module: ['istio.io/api', `v${ISTIO_VERSION}`],
  textIn: (folder: string) => readFileSync(join(folder, 'kubernetes/customresourcedefinitions.gen.yaml'), 'utf8'),
} as const;

/** Those of the standard channel, and not the policy that stands beside them. */
const GATEWAY_API_CRDS = {
  name: `gateway-api-crds-${GATEWAY_API_VERSION}.yaml`,
  module: ['sigs.k8s.io/gateway-api', `v${GATEWAY_API_VERSION}`],
  textIn(module: string): string {
    const folder = join(module, 'config/crd/standard');
    const names = readdirSync(folder).filter((name) => /^gateway\.networking\.k8s\.io_(?!vap).*\.yaml$/.test(name));
    return names.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n---\n');
  },
} as const;

/**
 * Paths of executables that run: PERCH_ETCD, PERCH_KUBE_APISERVER, PERCH_KUBECTL, PERCH_HELM and PERCH_ISTIOD, else etcd on the PATH or from Debian, and the others
 * from the user's cache folder, built there first where they are not; and of
 * CustomResourceDefinitions: PERCH_ISTIO_CRDS and PERCH_GATEWAY_API_CRDS, else those of the Go modules istio.io/api and sigs.k8s.io/gateway-api.
 * @throws Error with what to do where one cannot be had.
 */
export async function provideKubernetes(environment: NodeJS.ProcessEnv = process.env): Promise<KubernetesParts> {
  return {
    etcd: await provideEtcd(environment),
    apiserver: await provideProgram(
      APISERVER,
      `kube-apiserver-${KUBERNETES_VERSION}`,
      'kube-apiserver',
      'PERCH_KUBE_APISERVER',
      environment,
    ),
    kubectl: await provideProgram(KUBECTL, `kubectl-${KUBERNETES_VERSION}`, 'kubectl', 'PERCH_KUBECTL', environment),
    helm: await provideProgram(HELM, `helm-${HELM_VERSION}`, 'helm', 'PERCH_HELM', environment),
    istiod: await provideProgram(ISTIOD, `istiod-${ISTIOD_VERSION}`, 'pilot-discovery', 'PERCH_ISTIOD', environment),
    istioCrds: await provideManifest(ISTIO_CRDS, 'PERCH_ISTIO_CRDS', environment),
    gatewayApiCrds: await provideManifest(GATEWAY_API_CRDS, 'PERCH_GATEWAY_API_CRDS', environment),
  };
}

if (import.meta.main) {
  try {
    const { etcd, apiserver, kubectl, helm, istiod, istioCrds, gatewayApiCrds } = await provideKubernetes();
    const programs = `PERCH_KUBE_APISERVER=${apiserver} PERCH_KUBECTL=${kubectl} PERCH_HELM=${helm} PERCH_ISTIOD=${istiod}`;
    console.log(`PERCH_ETCD=${etcd} ${programs} PERCH_ISTIO_CRDS=${istioCrds} PERCH_GATEWAY_API_CRDS=${gatewayApiCrds}`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
