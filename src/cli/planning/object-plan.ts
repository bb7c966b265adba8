import { refText, sameManifest, sameRef } from '../../cluster/manifest.ts';
import { namedRoutes } from '../../cluster/ownership.ts';
import type { ObjectRef, StoredObject } from '../../cluster/store.ts';
import type { KubeObject, VirtualServiceSpec } from '../../core/istio/resources.ts';
import type { CanaryRelease } from '../../core/release/canary-release.ts';
import { routedName, routeForm } from '../../core/release/route-form.ts';
import { wovenRuleNames } from '../../core/weave/rule-name.ts';
import type { Stage } from '../../server/rehearsal/rehearsal.ts';
import { objectYaml } from './object-yaml.ts';
import { unifiedDiff } from './unified-diff.ts';

/** A rule of the base, and how many rules stand in its place; 0: it is left as it is. */
export interface PlannedRule {
  /** Its name, or `rule N`, counted from 1. */
  readonly rule: string;
  readonly woven: number;
}

/** An object at one stage. */
export interface ObjectStage {
  /** `step N`, counted from 1, or `end`. */
  readonly at: string;
  /** Whether it is served otherwise than at the stage before. */
  readonly changed: boolean;
  readonly rules: readonly PlannedRule[];
  /** From the stage before to this one; only where diffs were asked for. */
  readonly diff?: readonly string[];
}

/** What becomes of one VirtualService during a release. */
export interface ObjectPlan {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** `adopted`, `owned`: what the release is woven into; `issuing`: where ids are issued, or requests drawn; `other`: it changes all the same. */
  readonly role: 'adopted' | 'owned' | 'issuing' | 'other';
  readonly stages: readonly ObjectStage[];
}

/** The VirtualServices that a release names or changes, in order of their names, through its stages. */
export async function planObjects(release: CanaryRelease, stages: readonly Stage[], withDiffs: boolean): Promise<readonly ObjectPlan[]> {
  const [first] = stages;
  const shown = stages.filter(({ kind }) => kind !== 'before');
  if (first === undefined || shown.length === 0) return [];
  const refs = touchedRoutes(release, stages);
  return await Promise.all(
    refs.map(async (ref): Promise<ObjectPlan> => {
      let before = { at: 'base', object: find(first.objects, ref)?.base };
      const planned: ObjectStage[] = [];
      for (const stage of shown) {
        const at = stageName(stage);
        const object = find(stage.objects, ref)?.served;
        const changed = object !== undefined && (before.object === undefined || !sameManifest(before.object, object));
        const diff = withDiffs ? { diff: changed ? await diffOf(ref, before, { at, object }) : [] } : {};
        planned.push({ at, changed, rules: rulesOf(object), ...diff });
        before = { at, object };
      }
      return { ...ref, role: roleOf(release, ref), stages: planned };
    }),
  );
}

/** The VirtualServices that a release is woven into, or that are served otherwise at one of these stages than as their bases say. */
export function touchedRoutes(release: CanaryRelease, stages: readonly Pick<Stage, 'objects'>[]): readonly ObjectRef[] {
  const named = namedRoutes(release);
  const found = stages.flatMap(({ objects }) =>
    objects
      .filter(({ ref }) => ref.kind === 'VirtualService')
      .filter(({ ref, base, served }) => named.some((each) => sameRef(each, ref)) || !sameManifest(base, served))
      .map(({ ref }) => ref),
  );
  const byName = new Map(found.map((ref) => [refText(ref), ref]));
  return [...byName].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, ref]) => ref);
}

function stageName({ kind, step = 0 }: Stage): string {
  return kind === 'step' ? `step ${step + 1}` : 'end';
}

function find(objects: readonly StoredObject[], ref: ObjectRef): StoredObject | undefined {
  return objects.find((object) => sameRef(object.ref, ref));
}

function roleOf(release: CanaryRelease, { namespace, name }: ObjectRef): ObjectPlan['role'] {
  if (namespace !== release.metadata.namespace) return 'other';
  if (name === routedName(release)) return routeForm(release) === 'adopt' ? 'adopted' : 'owned';
  return name === release.spec.visitorId.issueAt?.virtualService ? 'issuing' : 'other';
}

/** A base rule's woven rules stand together, its `rest` rule last. */
function rulesOf(object: KubeObject | undefined): readonly PlannedRule[] {
  const rules: PlannedRule[] = [];
  let woven = 0;
  for (const { name } of (object?.spec as VirtualServiceSpec | undefined)?.http ?? []) {
    const names = wovenRuleNames(name);
    if (names.length > 0) woven += 1;
    if (names.some(({ role }) => role !== 'rest')) continue;
    const innermost = names.at(-1);
    const baseName = innermost === undefined ? name : innermost.baseName;
    rules.push({ rule: baseName ?? `rule ${rules.length + 1}`, woven });
    woven = 0;
  }
  return rules;
}

interface Version {
  readonly at: string;
  readonly object: KubeObject | undefined;
}

async function diffOf({ kind, name }: ObjectRef, before: Version, after: Version): Promise<readonly string[]> {
  const [left = [], right = []] = await Promise.all(
    [before, after].map(async ({ object }) => (object === undefined ? [] : (await objectYaml(object)).split('\n'))),
  );
  const title = ({ at }: Version): string => `${kind.toLowerCase()}/${name} ${at}`;
  return unifiedDiff(left, right, [title(before), title(after)]);
}
