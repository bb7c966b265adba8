import { isRouteKind } from '../../cluster/kube/route-writes.ts';
import { refText, sameManifest, sameRef } from '../../cluster/manifest.ts';
import { objectYaml } from '../../cluster/object-yaml.ts';
import { namedRoutes } from '../../cluster/ownership.ts';
import type { ObjectRef, StoredObject } from '../../cluster/store.ts';
import { rulesOf as httpRulesOf } from '../../core/gateway-api/http-route.ts';
import type { KubeObject, VirtualServiceSpec } from '../../core/istio/resources.ts';
import type { CanaryRelease } from '../../core/release/canary-release.ts';
import { issuingRoute, routedKind, routedName, routeForm } from '../../core/release/route-form.ts';
import { wovenRuleNames } from '../../core/weave/rule-name.ts';
import { parseHttpRuleName } from '../../core/weave-http-route/rule-name.ts';
import { isHttpRoute } from '../../core/weave-http-route/unweave-http-route.ts';
import type { Stage } from '../../server/rehearsal/rehearsal.ts';
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

/** What becomes of one VirtualService or HTTPRoute during a release. */
export interface ObjectPlan {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** `adopted`, `owned`: what the release is woven into; `issuing`: where ids are issued, or requests drawn; `other`: it changes all the same. */
  readonly role: 'adopted' | 'owned' | 'issuing' | 'other';
  readonly stages: readonly ObjectStage[];
}

/** The routes that a release names or changes, in order of their names, through its stages. */
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

/** The VirtualServices and HTTPRoutes that a release is woven into, or that are served otherwise at one of these stages than as their bases say. */
export function touchedRoutes(release: CanaryRelease, stages: readonly Pick<Stage, 'objects'>[]): readonly ObjectRef[] {
  const named = namedRoutes(release);
  const found = stages.flatMap(({ objects }) =>
    objects
      .filter(({ ref }) => isRouteKind(ref.kind))
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

function roleOf(release: CanaryRelease, { kind, namespace, name }: ObjectRef): ObjectPlan['role'] {
  if (namespace !== release.metadata.namespace) return 'other';
  if (kind === routedKind(release) && name === routedName(release)) return routeForm(release) === 'adopt' ? 'adopted' : 'owned';
  const issuing = issuingRoute(release);
  return kind === issuing?.kind && name === issuing.name ? 'issuing' : 'other';
}

/** A rule that is served: one of a release's before the last that its base rule became, or that one or any other, with the name of the base rule. */
type ServedRule =
  | { readonly isBefore: true }
  | { readonly isBefore: false; readonly isWoven: boolean; readonly baseName: string | undefined };

/** A base rule's woven rules stand together, its `rest` rule last. */
function rulesOf(object: KubeObject | undefined): readonly PlannedRule[] {
  const rules: PlannedRule[] = [];
  let woven = 0;
  for (const served of object === undefined ? [] : servedRules(object)) {
    if (served.isBefore) {
      woven += 1;
      continue;
    }
    rules.push({ rule: served.baseName ?? `rule ${rules.length + 1}`, woven: served.isWoven ? woven + 1 : 0 });
    woven = 0;
  }
  return rules;
}

function servedRules(object: KubeObject): readonly ServedRule[] {
  if (isHttpRoute(object)) return httpRulesOf(object).map(({ name }) => servedHttpRule(name));
  return ((object.spec as VirtualServiceSpec | undefined)?.http ?? []).map(({ name }) => servedRule(name));
}

function servedRule(name: string | undefined): ServedRule {
  const names = wovenRuleNames(name);
  if (names.some(({ role }) => role !== 'rest')) return { isBefore: true };
  const innermost = names.at(-1);
  return { isBefore: false, isWoven: names.length > 0, baseName: innermost === undefined ? name : innermost.baseName };
}

/** One that only has to stay before those of a release is not woven. */
function servedHttpRule(name: string | undefined): ServedRule {
  const parsed = parseHttpRuleName(name);
  if (parsed === undefined) return { isBefore: false, isWoven: false, baseName: name };
  const { role, baseName } = parsed;
  return role === 'rest' || role === 'beside' ? { isBefore: false, isWoven: role === 'rest', baseName } : { isBefore: true };
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
