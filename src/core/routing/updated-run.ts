import type { KubeObject, VirtualService } from '../istio/resources.ts';
import type { CompiledRoute, CompiledRules } from './compile-route.ts';
import type { CompiledRun, IngressRun } from './compiled-run.ts';
import { delegateNames } from './delegates.ts';
import { type EffectiveService, effectiveService } from './effective-services.ts';
import { joinRoutes } from './ingress-hosts.ts';
import { areSame, type KeptResults } from './kept-results.ts';
import type { KeptRouting } from './kept-routing.ts';

/** A list of objects and what came of it. */
export interface Former {
  readonly objects: readonly KubeObject[];
  readonly awaited: ReadonlySet<string>;
  readonly run: CompiledRun;
}

/** A VirtualService before and after its rules changed. */
interface Update {
  readonly before: EffectiveService;
  readonly after: EffectiveService;
}

/** Rules before and after, where nothing but their routes changed. */
interface Swap<Rules> {
  readonly before: Rules;
  readonly after: Rules;
}

/**
 * What comes of a list in which, compared with the former one, nothing but rules of VirtualServices changed: by far the commonest change, and
 * every step of a release is one. It looks at nothing but those, so it costs the same however many objects there are. Undefined where anything
 * else changed, and where there is something to say about one of them.
 */
export function updatedRun(
  former: Former,
  objects: readonly KubeObject[],
  awaited: ReadonlySet<string>,
  kept: KeptRouting,
): CompiledRun | undefined {
  if (!areSame([...former.awaited], [...awaited])) return undefined;
  const updates = updatesOf(former.objects, objects, kept);
  const run = updates && withUpdates(former.run, updates, kept);
  if (run !== undefined) for (const { before } of updates ?? []) kept.effective.forget(before.object);
  return run;
}

function updatesOf(before: readonly KubeObject[], after: readonly KubeObject[], kept: KeptRouting): readonly Update[] | undefined {
  if (before.length !== after.length) return undefined;
  const updates: Update[] = [];
  for (let index = 0; index < after.length; index++) {
    if (before[index] === after[index]) continue;
    const update = updateOf(before[index] as KubeObject, after[index] as KubeObject, kept);
    if (update === undefined) return undefined;
    updates.push(update);
  }
  return updates;
}

function updateOf(before: KubeObject, after: KubeObject, kept: KeptRouting): Update | undefined {
  if (before.kind !== 'VirtualService' || after.kind !== 'VirtualService') return undefined;
  if (before.apiVersion !== after.apiVersion) return undefined;
  const [old, object] = [before as VirtualService, after as VirtualService];
  const known = kept.effective.last(old);
  // One that others delegate to, or that delegates, is more than its own rules.
  if (known === undefined || delegateNames(old).length > 0 || delegateNames(object).length > 0) return undefined;
  const made = kept.effective.of(object, [], () => effectiveService(object, () => undefined));
  const isAlike = known.name === made.name && areSame(known.hosts, made.hosts) && areSame(known.gateways, made.gateways);
  return isAlike ? { before: known, after: made } : undefined;
}

function withUpdates(run: CompiledRun, updates: readonly Update[], kept: KeptRouting): CompiledRun | undefined {
  const ingress: IngressRun[] = [];
  for (const each of run.ingress) {
    const next = atListener(run, each, updates, kept);
    if (next === undefined) return undefined;
    ingress.push(next);
  }
  const mesh: CompiledRun['mesh'][number][] = [];
  for (const { port, hosts } of run.mesh) {
    const { rules } = kept.mesh(port);
    const swaps = swapsOf(updates, rules, (service) => kept.meshRules(port, service, run.registry));
    if (swaps === undefined) return undefined;
    mesh.push({
      port,
      hosts: swaps.length === 0 ? hosts : hosts.withRoutes(swaps.map(({ before, after }) => [before.routes, after.routes])),
    });
  }
  return { ...run, ingress, mesh };
}

function atListener(
  run: CompiledRun,
  { listener, parts, hosts }: IngressRun,
  updates: readonly Update[],
  kept: KeptRouting,
): IngressRun | undefined {
  const changed = new Map<string, readonly (readonly CompiledRoute[])[]>();
  for (const server of listener.servers) {
    const swaps = swapsOf(updates, kept.server(server), (service) => kept.servedRules(server, service, run.registry));
    if (swaps === undefined) return undefined;
    for (const { before, after } of swaps) {
      for (const host of after.hosts) {
        const now = changed.get(host) ?? parts.get(host) ?? [];
        changed.set(
          host,
          now.map((each) => (each === before.routes ? after.routes : each)),
        );
      }
    }
  }
  if (changed.size === 0) return { listener, parts, hosts };
  const joined = kept.listener(listener.name);
  const routes = [...changed].map(([host, now]) => [joinedOf(joined, host, parts.get(host) ?? []), joinedOf(joined, host, now)] as const);
  return { listener, parts: new Map([...parts, ...changed]), hosts: hosts.withRoutes(routes) };
}

/** What became of those that have rules there; undefined where more than routes change: hosts are left to others, or there are findings. */
function swapsOf<Rules extends CompiledRules>(
  updates: readonly Update[],
  known: KeptResults<EffectiveService, Rules>,
  compile: (service: EffectiveService) => Rules,
): readonly Swap<Rules>[] | undefined {
  const swaps: Swap<Rules>[] = [];
  for (const update of updates) {
    const before = known.last(update.before);
    if (before === undefined) continue;
    const after = compile(update.after);
    if (before.unknown.length > 0 || after.unknown.length > 0) return undefined;
    if ((before.routes.length === 0) !== (after.routes.length === 0)) return undefined;
    known.forget(update.before);
    swaps.push({ before, after });
  }
  return swaps;
}

function joinedOf(
  joined: KeptResults<string, readonly CompiledRoute[]>,
  host: string,
  parts: readonly (readonly CompiledRoute[])[],
): readonly CompiledRoute[] {
  return joined.of(host, parts, () => joinRoutes(parts));
}
