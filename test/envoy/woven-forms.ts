import { hasErrors } from '../../src/core/diagnostics/diagnostic.ts';
import type { RoutingObject, VirtualService, VirtualServiceSpec } from '../../src/core/istio/resources.ts';
import { type CanaryCookie, canaryCookieOf } from '../../src/core/release/canary-cookie.ts';
import type { CanaryRelease, Version } from '../../src/core/release/canary-release.ts';
import { ownedVirtualService } from '../../src/core/release/route-form.ts';
import { validateCanaryRelease } from '../../src/core/release/validate.ts';
import type { Offset } from '../../src/core/visitor/bucket.ts';
import { baggageKey } from '../../src/core/visitor/cohort.ts';
import type { RoutePlan } from '../../src/core/weave/plan.ts';
import type { Companion } from '../../src/core/weave/shared-object.ts';
import { weaveRelease } from '../../src/core/weave/weave-virtual-service.ts';
import { mergedRules } from './istio-delegates.ts';
import { edgeGateway, SERVICE_PORT } from './shop-objects.ts';
import {
  ASKED_HOSTS,
  DELEGATED_PATHS,
  DELEGATED_RULES,
  DELEGATING_RULES,
  drawable,
  INSIDE_DELEGATED_RULES,
  INSIDE_DELEGATING_RULES,
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

/** Where a release stands. `cutoff` (0..4096) and `offset`: in mode visitor; `percent`: in mode canaryOnly; `settled`: everyone at that version. */
export type Standing =
  | { readonly cutoff: number; readonly offset: Offset; readonly canary?: Version }
  | { readonly percent: number; readonly canary?: Version }
  | { readonly settled: Version };

/** What is released, and how. */
export interface FormOptions {
  readonly route: 'adopt' | 'delegate' | 'managed';
  /** `edge`: at the gateway; `inside`: behind a page at the gateway, which issues; `both`: at the gateway and inside, in one object. */
  readonly place: 'edge' | 'inside' | 'both';
  readonly at: Standing;
  /** Further fields of the spec; `visitorId` is joined with what `place` needs. */
  readonly spec?: {
    readonly visitorId?: object;
    readonly affinity?: object;
    readonly cache?: string;
    readonly optIn?: object;
    readonly steps?: readonly object[];
  };
  /** Inside, other releases by their names, which issue their ids at the same page. */
  readonly beside?: Readonly<Record<string, Extract<Standing, { readonly cutoff: number }>>>;
}

/** A release in one form of route, woven into a user's objects, and how to ask it. */
export interface WovenForm {
  readonly name: string;
  readonly options: FormOptions;
  /** Gateway and VirtualServices, in order of creation. */
  readonly objects: readonly RoutingObject[];
  /** The listeners that the release concerns. */
  readonly asked: readonly AskedListener[];
  /** Names of the woven objects' rules as they are served: a delegate's with its root's before them. */
  readonly rules: readonly (string | undefined)[];
  /** Ids that decide are drawn around it; 0 where none decides. */
  readonly cutoff: number;
  /** Name of the cookie with the visitor id. */
  readonly cookie: string;
  /** In mode canaryOnly, the cookie of those on the canary. */
  readonly canaryCookie: CanaryCookie | undefined;
  readonly baggageKey: string;
}

/** A listener, and what is asked there. */
export interface AskedListener {
  readonly kind: 'ingress' | 'mesh';
  readonly hosts: readonly string[];
  readonly paths: readonly string[];
}

const STABLE = { subset: 'v1' };
const CANARY = { subset: 'v2' };

/** Weaves a release into the shop's routes. @throws Error where anything about it is wrong: a suite must not compare what was not woven. */
export function wovenForm(name: string, options: FormOptions): WovenForm {
  const release = releaseOf(options);
  const canaryCookie = canaryCookieOf({ namespace: 'default', name: 'shop', started: 0, spec: release.spec });
  const { routed, issuing, others } = basesOf(release, options);
  const bases = [routed, ...(issuing === undefined ? [] : [issuing])];
  const { routes, diagnostics } = weaveRelease({
    release,
    plan: planOf(options.at, canaryCookie),
    former: [],
    routed,
    issuing,
    gateways: [edgeGateway],
    siblings: [...bases, ...others],
    companions: companionsOf(options.beside ?? {}),
  });
  const unwoven = diagnostics.filter(({ severity }) => severity !== 'info');
  if (unwoven.length > 0 || routes.length !== bases.length) throw new Error(`${name}: ${JSON.stringify(unwoven)}`);
  const services = [...routes.map(({ virtualService: each }) => each as VirtualService), ...others];
  const inOrder = services.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  return {
    name,
    options,
    objects: [edgeGateway, ...inOrder],
    asked: askedOf(options),
    rules: servedRules(inOrder),
    cutoff: 'cutoff' in options.at ? options.at.cutoff : 0,
    cookie: release.spec.visitorId.cookie.name,
    canaryCookie,
    baggageKey: baggageKey('default', 'shop'),
  };
}

function companionsOf(beside: NonNullable<FormOptions['beside']>): readonly Companion[] {
  return Object.entries(beside).map(([name, at]) => {
    const { metadata, spec, ...release } = releaseOf({ route: 'adopt', place: 'inside', at });
    const own = { service: { host: name, port: SERVICE_PORT }, route: { adopt: { virtualService: name } } };
    return { release: { ...release, metadata: { ...metadata, name }, spec: { ...spec, ...own } }, plan: planOf(at, undefined), former: [] };
  });
}

function releaseOf({ route, place, at, spec = {} }: FormOptions): CanaryRelease {
  const { release, diagnostics } = validateCanaryRelease({
    apiVersion: 'perch.dev/v1alpha1',
    kind: 'CanaryRelease',
    metadata: { name: 'shop', namespace: 'default' },
    spec: {
      service: { host: 'shop', port: SERVICE_PORT },
      stable: STABLE,
      canary: ('canary' in at ? at.canary : undefined) ?? CANARY,
      route: routeOf(route, place, drawing(spec)),
      steps: [{ weight: 100, hold: 'manual' }],
      ...spec,
      visitorId: { ...(place === 'inside' ? { issueAt: { virtualService: 'page' } } : {}), ...spec.visitorId },
    },
  });
  if (release === undefined || hasErrors(diagnostics)) throw new Error(JSON.stringify(diagnostics));
  return release;
}

function drawing(spec: FormOptions['spec']): boolean {
  return spec?.affinity !== undefined;
}

function planOf(at: Standing, cookie: CanaryCookie | undefined): RoutePlan {
  if ('settled' in at) return { kind: 'settled', live: at.settled, ...(cookie === undefined ? {} : { expires: cookie }) };
  const versions = { stable: STABLE, canary: at.canary ?? CANARY };
  if ('cutoff' in at) return { kind: 'split', ...versions, cutoff: at.cutoff, offset: at.offset };
  if (cookie === undefined) throw new Error('a draw is for mode canaryOnly');
  return { kind: 'draw', ...versions, weight: at.percent, cookie };
}

/** Where the rules of a place are served, and which they are; those that a delegate gets are fewer, as its root has to let them through. */
function served(place: FormOptions['place'], drawn: boolean): VirtualServiceSpec {
  if (place === 'inside') return { hosts: ['shop'], http: INSIDE_RULES };
  const http = drawn ? drawable(SHOP_RULES) : SHOP_RULES;
  return place === 'edge'
    ? { hosts: SHOP_HOSTS, gateways: ['edge'], http }
    : { hosts: ['shop', 'shop.test'], gateways: ['edge', 'mesh'], http };
}

function routeOf(route: FormOptions['route'], place: FormOptions['place'], drawn: boolean): object {
  if (route === 'adopt') return { adopt: { virtualService: 'shop' } };
  if (route === 'managed') return { managed: served(place, drawn) };
  const http = place === 'inside' ? INSIDE_DELEGATED_RULES : DELEGATED_RULES;
  return { delegate: { name: 'shop-perch', http: drawn ? drawable(http) : http } };
}

interface Bases {
  readonly routed: VirtualService;
  readonly issuing: VirtualService | undefined;
  readonly others: readonly VirtualService[];
}

function basesOf(release: CanaryRelease, { route, place, spec }: FormOptions): Bases {
  const drawn = drawing(spec);
  const owned = ownedVirtualService(release) as VirtualService | undefined;
  const root = place === 'inside' ? INSIDE_DELEGATING_RULES : DELEGATING_RULES;
  const roots = route === 'delegate' ? [virtualService('shop', { ...served(place, drawn), http: root })] : [];
  const page = virtualService('page', { hosts: SHOP_HOSTS, gateways: ['edge'], http: drawn ? drawable(PAGE_RULES) : PAGE_RULES });
  return {
    routed: owned ?? virtualService('shop', served(place, drawn)),
    issuing: place === 'inside' ? page : undefined,
    others: [...roots, ...SIBLINGS],
  };
}

function askedOf({ route, place }: FormOptions): readonly AskedListener[] {
  const edge: AskedListener = { kind: 'ingress', hosts: ASKED_HOSTS, paths: route === 'delegate' ? DELEGATED_PATHS : SHOP_PATHS };
  const mesh: AskedListener = { kind: 'mesh', hosts: INSIDE_HOSTS, paths: INSIDE_PATHS };
  if (place === 'edge') return [edge];
  if (place === 'inside') return [{ ...edge, paths: PAGE_PATHS }, mesh];
  return [
    { ...edge, hosts: ['shop.test', 'SHOP.test:80', 'nobody.test'] },
    { ...mesh, paths: edge.paths },
  ];
}

function servedRules(services: readonly VirtualService[]): WovenForm['rules'] {
  const own = services.filter(({ metadata, spec }) => ['shop', 'page'].includes(metadata.name) && (spec.hosts ?? []).length > 0);
  return [...new Set(own.flatMap((service) => mergedRules(service, services).map((rule) => rule.name)))];
}
