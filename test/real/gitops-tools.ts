import { spawn } from 'node:child_process';
import type { ManagedFields } from '../../src/cluster/kube/managed-fields.ts';
import { manifestOf, sameJson } from '../../src/cluster/manifest.ts';
import type { KubeObject } from '../../src/core/istio/resources.ts';

/** An object as git has it, or as the API gives it. */
interface GitObject extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly managedFields?: readonly ManagedFields[] };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** What kubectl said. */
interface Said {
  readonly code: number | null;
  readonly output: string;
}

/** The fields of the spec that a tool is told to leave alone: by name, or those of a manager. */
type Ignored = { readonly fields: readonly string[] } | { readonly manager: string };

/** How an Argo CD Application syncs: `serverSide` is its sync option ServerSideApply=true, `ignored` its ignoreDifferences with RespectIgnoreDifferences=true. */
interface ArgoOptions {
  readonly serverSide?: boolean;
  readonly ignored?: Ignored;
}

/** Writes objects as kubectl, Argo CD and Flux do, with a real kubectl, whose code the first two have in common. */
export class GitOpsTools {
  readonly #kubectl: string;
  readonly #kubeconfig: string;

  constructor(kubectl: string, kubeconfig: string) {
    this.#kubectl = kubectl;
    this.#kubeconfig = kubeconfig;
  }

  kubectl(args: readonly string[], object?: KubeObject): Promise<Said> {
    return new Promise((resolve, reject) => {
      const child = spawn(this.#kubectl, ['--kubeconfig', this.#kubeconfig, '--namespace', 'default', ...args]);
      let output = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => {
          output += text;
        });
      }
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, output }));
      child.stdin.end(object === undefined ? '' : JSON.stringify(object));
    });
  }

  async #run(args: readonly string[], object?: KubeObject): Promise<string> {
    const { code, output } = await this.kubectl(args, object);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${output}`);
    return output;
  }

  /** `kubectl apply`: a three-way merge of what was applied last, what is and what is to be. */
  async apply(object: KubeObject, manager = 'kubectl-client-side-apply'): Promise<void> {
    await this.#run(['apply', `--field-manager=${manager}`, '-f', '-'], object);
  }

  async applyServerSide(object: KubeObject, manager: string): Promise<void> {
    await this.#run(['apply', '--server-side', '--force-conflicts', `--field-manager=${manager}`, '-f', '-'], object);
  }

  async live({ kind, metadata }: KubeObject): Promise<GitObject> {
    return JSON.parse(await this.#run(['get', kind, metadata.name, '-o', 'json', '--show-managed-fields'])) as GitObject;
  }

  /**
   * One sync of an Application (argoproj/argo-cd, controller/sync.go, normalizeTargetResources): in what is applied, ignored fields have the values that
   * they have in the cluster.
   */
  async argoSync(desired: GitObject, { serverSide = false, ignored }: ArgoOptions = {}): Promise<void> {
    const live = await this.live(desired);
    const kept = ignored === undefined ? [] : fieldsOf(ignored, live);
    const values = Object.entries(live.spec).filter(([field]) => kept.includes(field));
    const target = { ...desired, spec: { ...desired.spec, ...Object.fromEntries(values) } };
    if (serverSide) await this.applyServerSide(target, 'argocd-controller');
    else await this.apply(target, 'argocd-controller');
  }

  /** One look of an Application with selfHeal; whether it found a difference, and synced. */
  async argoSelfHeal(desired: GitObject, options: ArgoOptions = {}): Promise<boolean> {
    const live = await this.live(desired);
    const left = options.ignored === undefined ? [] : fieldsOf(options.ignored, live);
    const isSynced = Object.entries(desired.spec).every(([field, value]) => left.includes(field) || sameJson(value, live.spec[field]));
    if (!isSynced) await this.argoSync(desired, options);
    return !isSynced;
  }

  /**
   * One reconciliation of a Flux Kustomization (fluxcd/pkg, ssa/manager_apply.go): a dry run tells whether anything drifted; only then it is applied. Of
   * ignored fields (spec.ignore) it applies none that somebody else applied, and of the others what the cluster has. Whether it applied.
   */
  async fluxReconcile(desired: GitObject, ignored: readonly string[] = []): Promise<boolean> {
    const { annotations } = desired.metadata;
    const labels = { 'kustomize.toolkit.fluxcd.io/name': 'shop', 'kustomize.toolkit.fluxcd.io/namespace': 'flux-system' };
    const labelled = { ...desired, metadata: { ...desired.metadata, labels } };
    const live = await this.live(desired);
    if (annotations?.['kustomize.toolkit.fluxcd.io/ssa'] === 'IfNotPresent') return false;
    const manager = '--field-manager=kustomize-controller';
    const dryRun = ['apply', '--server-side', '--force-conflicts', manager, '--dry-run=server', '-o', 'json', '-f', '-'];
    const drifted = JSON.parse(await this.#run(dryRun, labelled)) as GitObject;
    const isIgnored = (field: string): boolean => ignored.includes(field) && !sameJson(drifted.spec[field], live.spec[field]);
    const without = (object: GitObject): KubeObject => {
      const { metadata, spec } = manifestOf(object);
      return { ...object, metadata, spec: Object.fromEntries(Object.entries(spec ?? {}).filter(([field]) => !isIgnored(field))) };
    };
    if (sameJson(manifestOf(without(drifted)), manifestOf(without(live)))) return false;
    const isApplied = (field: string): boolean =>
      (live.metadata.managedFields ?? []).some(
        ({ manager: name, operation, fieldsV1 }) =>
          name !== 'kustomize-controller' && operation === 'Apply' && fieldsV1?.['f:spec']?.[`f:${field}`] !== undefined,
      );
    const spec = Object.entries(labelled.spec).flatMap(([field, value]): [string, unknown][] => {
      if (!isIgnored(field)) return [[field, value]];
      return isApplied(field) ? [] : [[field, live.spec[field]]];
    });
    await this.applyServerSide({ ...labelled, spec: Object.fromEntries(spec) }, 'kustomize-controller');
    return true;
  }
}

/** As ignoreDifferences has them: jsonPointers, or managedFieldsManagers. */
function fieldsOf(ignored: Ignored, { metadata }: GitObject): readonly string[] {
  if ('fields' in ignored) return ignored.fields;
  return (metadata.managedFields ?? [])
    .filter(({ manager }) => manager === ignored.manager)
    .flatMap(({ fieldsV1 }) => Object.keys(fieldsV1?.['f:spec'] ?? {}))
    .map((name) => name.replace(/^f:/, ''));
}
