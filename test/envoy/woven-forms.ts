import { hasErrors } from '../../src/core/diagnostics/diagnostic.ts';
import type { KubeObject, RoutingObject, VirtualService } from '../../src/core/istio/resources.ts';
import type { CanaryRelease, Version } from '../../src/core/release/canary-release.ts';
import { validateCanaryRelease } from '../../src/core/release/validate.ts';
import type { Offset } from '../../src/core/visitor/bucket.ts';
import { baggageKey } from '../../src/core/visitor/cohort.ts';
import type { RoutePlan } from '../../src/core/weave/plan.ts';
import { weaveRelease } from '../../src/core/weave/weave-virtual-service.ts';
import { edgeGateway, SERVICE_PORT } from './shop-objects.ts';
import {
  ASKED_HOSTS,
  INSIDE_HOSTS,
  INSIDE_PATHS,
  INSIDE_RULES,
  PAGE_PATHS,
  PAGE_RULES,
  SHOP_HOSTS,
  SHOP_PATHS,
  SHOP_RULES,
  SIBLINGS,
  virtualService,
} from './shop-routes.ts';

/** A release in one form of route, woven into a user's objects, and how to ask it. */
export interface WovenForm {
  readonly name: string;
  /** Gateway and VirtualServices, in order of creation. */
  readonly objects: readonly RoutingObject[];
  /** The listeners that the release concerns. */
  readonly asked: readonly AskedListener[];
  /** 0 where it is settled. */
  readonly cutoff: number;
  readonly cookie: string;
  readonly baggageKey: string;
}

/** A listener, what is asked there, and the rules that some request has to take. */
export interface AskedListener {
  readonly kind: 'ingress' | 'mesh';
  readonly hosts: readonly string[];
  readonly paths: readonly string[];
  readonly rules: readonly (string | undefined)[];
}

/** Where a release stands. */
export interface Standing {
  /** 0..4096; undefined: settled at v1. */
  readonly cutoff: number | undefined;
  readonly offset: Offset;
  readonly canary?: Version;
}

type Route = CanaryRelease['spec']['route'];

function releaseOf(route: Route, standing: Standing, more: object): CanaryRelease {
  const { release, diagnostics } = validateCanaryRelease({
    apiVersion: 'perch.dev/v1alpha1',
    kind: 'CanaryRelease',
    metadata: { name: 'shop', namespace: 'default' },
    spec: {
      service: { host: 'shop', port: SERVICE_PORT },
      stable: { subset: 'v1' },
      canary: standing.canary ?? { subset: 'v2' },
      route,
      steps: [{ weight: 100, hold: 'manual' }],
      ...more,
    },
  });
  if (release === undefined) throw new Error(JSON.stringify(diagnostics));
  return release;
}

function planOf({ cutoff, offset, canary = { subset: 'v2' } }: Standing): RoutePlan {
  const stable = { subset: 'v1' };
  return cutoff === undefined ? { kind: 'settled', live: stable } : { kind: 'split', stable, canary, cutoff, offset };
}

/** The woven objects, in place of their bases among `others`, in order of name. */
function woven(
  release: CanaryRelease,
  standing: Standing,
  routed: KubeObject,
  issuing: KubeObject | undefined,
  others: readonly VirtualService[],
): readonly RoutingObject[] {
  const bases = [routed, ...(issuing === undefined ? [] : [issuing])];
  const { routes, diagnostics } = weaveRelease({
    release,
    plan: planOf(standing),
    former: [],
    routed,
    issuing,
    gateways: [edgeGateway],
    siblings: [...bases, ...others],
  });
  if (hasErrors(diagnostics) || routes.length !== bases.length) throw new Error(JSON.stringify(diagnostics));
  const services = [...routes.map(({ virtualService: each }) => each as VirtualService), ...others];
  return [edgeGateway, ...services.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))];
}

function rulesOf(objects: readonly RoutingObject[], name: string): readonly (string | undefined)[] {
  return objects.flatMap((each) =>
    each.kind === 'VirtualService' && each.metadata.name === name ? (each.spec.http ?? []).map((rule) => rule.name) : [],
  );
}

function form(
  name: string,
  release: CanaryRelease,
  { cutoff = 0 }: Standing,
  objects: readonly RoutingObject[],
  asked: readonly AskedListener[],
): WovenForm {
  return { name, objects, asked, cutoff, cookie: release.spec.visitorId.cookie.name, baggageKey: baggageKey('default', 'shop') };
}

/** Adopted at the edge, beside others' routes on the same hosts. */
export function adoptedAtEdge(name: string, standing: Standing, more: object = {}): WovenForm {
  const release = releaseOf({ adopt: { virtualService: 'shop' } }, standing, more);
  const base = virtualService('shop', { hosts: SHOP_HOSTS, gateways: ['edge'], http: SHOP_RULES });
  const objects = woven(release, standing, base, undefined, SIBLINGS);
  return form(name, release, standing, objects, [
    { kind: 'ingress', hosts: ASKED_HOSTS, paths: SHOP_PATHS, rules: rulesOf(objects, 'shop') },
  ]);
}

/** Adopted inside, ids issued by the page in front. */
export function adoptedInside(name: string, standing: Standing, visitorId: object, more: object = {}): WovenForm {
  const release = releaseOf({ adopt: { virtualService: 'shop' } }, standing, {
    ...more,
    visitorId: { issueAt: { virtualService: 'page' }, ...visitorId },
  });
  const base = virtualService('shop', { hosts: ['shop'], http: INSIDE_RULES });
  const page = virtualService('page', { hosts: SHOP_HOSTS, gateways: ['edge'], http: PAGE_RULES });
  const objects = woven(release, standing, base, page, SIBLINGS);
  return form(name, release, standing, objects, [
    { kind: 'ingress', hosts: ASKED_HOSTS, paths: PAGE_PATHS, rules: rulesOf(objects, 'page') },
    { kind: 'mesh', hosts: INSIDE_HOSTS, paths: INSIDE_PATHS, rules: rulesOf(objects, 'shop') },
  ]);
}
