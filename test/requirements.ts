import { describe, it } from 'vitest';

/**
 * What a suite may need beyond Node, and the environment variable that says where it is.
 * `npm run test:all` provides all and sets the variables; without them these suites are skipped, loudly (tools/test.ts).
 */
export const REQUIREMENTS = {
  Envoy: 'PERCH_ENVOY',
  Chromium: 'PERCH_CHROMIUM',
  Nginx: 'PERCH_NGINX',
  Etcd: 'PERCH_ETCD',
  Kubernetes: 'PERCH_KUBE_APISERVER',
  Kubectl: 'PERCH_KUBECTL',
  Helm: 'PERCH_HELM',
  IstioCrds: 'PERCH_ISTIO_CRDS',
  GatewayApiCrds: 'PERCH_GATEWAY_API_CRDS',
  Istiod: 'PERCH_ISTIOD',
} as const;

function describeWith(need: keyof typeof REQUIREMENTS, name: string, suite: (executable: string) => void): void {
  const executable = process.env[REQUIREMENTS[need]];
  if (executable === undefined || executable === '') {
    // The title is what tools/test-summary.ts looks for.
    describe.skip(`${name} (needs ${need})`, () => it(`npm run test:all provides ${need}`));
  } else {
    describe(name, () => suite(executable));
  }
}

/** A suite that runs a real Envoy; `suite` gets the path of its executable. */
export function describeWithEnvoy(name: string, suite: (executable: string) => void): void {
  describeWith('Envoy', name, suite);
}

/** A suite that drives a real Chromium; `suite` gets the path of its executable. */
export function describeWithChromium(name: string, suite: (executable: string) => void): void {
  describeWith('Chromium', name, suite);
}

/** A suite that puts a real nginx in front; `suite` gets the path of its executable. */
export function describeWithNginx(name: string, suite: (executable: string) => void): void {
  describeWith('Nginx', name, suite);
}

/** What a suite of the real API gets: paths of executables, and of manifests. */
export interface KubernetesParts {
  readonly etcd: string;
  readonly apiserver: string;
  readonly istioCrds: string;
  readonly gatewayApiCrds: string;
}

/** A suite that starts a real kube-apiserver with an etcd of its own. */
export function describeWithKubernetes(name: string, suite: (parts: KubernetesParts) => void): void {
  const [etcd = '', istioCrds = '', gatewayApiCrds = ''] = (['Etcd', 'IstioCrds', 'GatewayApiCrds'] as const).map(
    (need) => process.env[REQUIREMENTS[need]],
  );
  describeWith('Kubernetes', name, (apiserver) => suite({ etcd, apiserver, istioCrds, gatewayApiCrds }));
}

/** The same, and executables of those who install. */
export interface InstallerParts extends KubernetesParts {
  readonly kubectl: string;
  readonly helm: string;
}

/** A suite that installs as people do: with kubectl, which has kustomize in it, and with Helm. */
export function describeWithInstallers(name: string, suite: (parts: InstallerParts) => void): void {
  const [kubectl, helm] = [process.env[REQUIREMENTS.Kubectl] ?? '', process.env[REQUIREMENTS.Helm] ?? ''];
  if (kubectl === '') describeWith('Kubectl', name, () => undefined);
  else if (helm === '') describeWith('Helm', name, () => undefined);
  else describeWithKubernetes(name, (parts) => suite({ ...parts, kubectl, helm }));
}

/** The same, and executables of a mesh. */
export interface MeshParts extends KubernetesParts {
  readonly istiod: string;
  readonly envoy: string;
}

/** A suite that runs a whole mesh: besides the API a real istiod and real Envoys, of which `suite` gets the executables too. */
export function describeWithMesh(name: string, suite: (parts: MeshParts) => void): void {
  const [istiod, envoy] = [process.env[REQUIREMENTS.Istiod] ?? '', process.env[REQUIREMENTS.Envoy] ?? ''];
  if (envoy === '') describeWith('Envoy', name, () => undefined);
  else if (istiod === '') describeWith('Istiod', name, () => undefined);
  else describeWithKubernetes(name, (parts) => suite({ ...parts, istiod, envoy }));
}

/** The same, and the executable of a kubectl. */
export function describeWithMeshAndKubectl(name: string, suite: (parts: MeshParts & { readonly kubectl: string }) => void): void {
  const kubectl = process.env[REQUIREMENTS.Kubectl] ?? '';
  if (kubectl === '') describeWith('Kubectl', name, () => undefined);
  else describeWithMesh(name, (parts) => suite({ ...parts, kubectl }));
}
