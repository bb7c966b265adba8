import { refOf } from '../cluster/manifest.ts';
import type { ObjectRef, Store, StoredObject } from '../cluster/store.ts';
import type { CanaryRelease, Version } from '../core/release/canary-release.ts';
import { routedName } from '../core/release/route-form.ts';
import type { ReleaseStatus } from '../core/release/status.ts';
import { validateCanaryRelease } from '../core/release/validate.ts';
import { sameVersion } from '../core/release/version.ts';
import { wovenReleases } from '../core/weave/unweave.ts';

/** All that one pass over a release goes by, read from the store in one go. */
export interface World {
  /** The store's revision before reading: what a commit rests on. */
  readonly revision: number;
  readonly stored: StoredObject;
  readonly release: CanaryRelease;
  /** The VirtualService that the release adopts; undefined where there is none. */
  readonly routed: StoredObject | undefined;
  /** The one where ids are issued, as far as the release names it and it exists. */
  readonly issuing: StoredObject | undefined;
  readonly virtualServices: readonly StoredObject[];
  readonly gateways: readonly StoredObject[];
}

/**
 * Reads the world of a release; undefined where there is no such release. Throws where the stored release is not valid: admission lets
 * none in, so it was stored by another version of Perch.
 */
export async function readWorld(store: Store, ref: ObjectRef): Promise<World | undefined> {
  const revision = store.revision();
  const objects = await store.list();
  const stored = objects.find((object) => isSameRef(object.ref, ref));
  if (stored === undefined) return undefined;
  const { release, diagnostics } = validateCanaryRelease(stored.base);
  if (release === undefined) {
    throw new Error(`the stored release is not valid: ${diagnostics.map((diagnostic) => diagnostic.message).join('; ')}`);
  }
  const virtualServices = objects.filter((object) => object.ref.kind === 'VirtualService');
  const { namespace } = ref;
  const named = (name: string | undefined) =>
    virtualServices.find((object) => object.ref.namespace === namespace && object.ref.name === name);
  return {
    revision,
    stored,
    release,
    routed: named(routedName(release)),
    issuing: named(release.spec.visitorId.issueAt?.virtualService),
    virtualServices,
    gateways: objects.filter((object) => object.ref.kind === 'Gateway'),
  };
}

/** The VirtualServices in whose served view the release is now, whether its spec still names them or not. */
export function wovenObjects(world: World): readonly StoredObject[] {
  const { namespace, name } = refOf(world.release);
  return world.virtualServices.filter((object) => wovenReleases(object.served).includes(`${namespace}/${name}`));
}

/** The versions that all visitors had or have, as far as the status remembers: rules of the base at one of them are released too. */
export function formerVersions(status: ReleaseStatus | undefined): readonly Version[] {
  if (status === undefined) return [];
  const past = status.history.flatMap(({ stable, canary, outcome }) => (outcome === 'Succeeded' ? [stable, canary] : [stable]));
  const found: Version[] = [];
  for (const version of [status.liveVersion, status.stable, ...past]) {
    if (version !== undefined && !found.some((known) => sameVersion(known, version))) found.push(version);
  }
  return found;
}

function isSameRef(left: ObjectRef, right: ObjectRef): boolean {
  return left.kind === right.kind && left.namespace === right.namespace && left.name === right.name;
}
