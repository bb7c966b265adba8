import type { Cohort } from '../visitor/cohort.ts';

/**
 * Why a woven rule matches: `known` a valid id, or the canary's, in the cookie; `new` none: the request id decides (at a gateway it also
 * becomes the visitor's), or a draw; `told` baggage; `claimed` what the visitor chose or the release picks; `rest` everything else.
 */
export type RuleRole = 'known' | 'new' | 'told' | 'claimed' | 'rest';

/** The cohort of the requests that a rule takes; `drawn`: each is drawn by weight, and only the destination tells (`affinity.mode: canaryOnly`). */
export type RuledCohort = Cohort | 'drawn';

/**
 * What the rule's destination was in the base: `kept` as it is (issuing rules lead where they led before; `stamped`: with a baggage stamp
 * added), or `moved` to a version. `address` is there where host or port were replaced too, `weight` where drawing replaced one; `marked`: the
 * answers of the rest are made private too.
 */
export type BaseDestination =
  | { readonly kind: 'kept'; readonly stamped: boolean; readonly marked?: true }
  | {
      readonly kind: 'moved';
      readonly subset: string | undefined;
      readonly address: { readonly host: string; readonly port: number | undefined } | undefined;
      readonly weight?: number;
      readonly marked?: true;
    };

/** What a woven rule's name says (docs/architecture.md, "The woven rule's name"). */
export interface WovenRuleName {
  readonly namespace: string;
  readonly release: string;
  readonly role: RuleRole;
  readonly cohort: RuledCohort;
  readonly base: BaseDestination;
  /** Name of the base rule; undefined where it has none. */
  readonly baseName: string | undefined;
}

/** What was read from a name; `baseSubset` is undefined where the base names no subset, or where destinations are kept. */
export type ParsedRuleName = WovenRuleName & { readonly baseSubset: string | undefined };

const START = 'perch:';
const ROLES: readonly RuleRole[] = ['known', 'new', 'told', 'claimed', 'rest'];
const COHORTS: readonly RuledCohort[] = ['canary', 'stable', 'drawn'];
const NO_SUBSET = '-';
const KEPT = '=';
const STAMPED = '+';
const MARKED = '!';

/**
 * `perch:NAMESPACE/RELEASE:ROLE:COHORT:BASE:NAME`. BASE is the base's subset or `-`, followed by `@HOST@PORT` where the version replaced
 * those and `*WEIGHT` where the draw replaced one; or `=` (destinations kept), `+` (kept and stamped). `!` at its end: answers are marked private. `:NAME` is absent where the base rule has no name.
 */
export function wovenRuleName(name: WovenRuleName): string {
  const ending = name.baseName === undefined ? '' : `:${name.baseName}`;
  return `${START}${name.namespace}/${name.release}:${name.role}:${name.cohort}:${encodeBase(name.base)}${ending}`;
}

/** Reads a woven rule's name back; undefined for every other name. */
export function parseWovenRuleName(name: string | undefined): ParsedRuleName | undefined {
  const parts = /^perch:([^/:]+)\/([^/:]+):([a-z]+):([a-z]+):([^:]*)(?::(.*))?$/s.exec(name ?? '');
  if (parts === null) return undefined;
  const [, namespace = '', release = '', roleText, cohortText, baseText = '', baseName] = parts;
  const role = ROLES.find((candidate) => candidate === roleText);
  const cohort = COHORTS.find((candidate) => candidate === cohortText);
  const base = decodeBase(baseText);
  if (role === undefined || cohort === undefined || base === undefined) return undefined;
  return { namespace, release, role, cohort, base, baseName, baseSubset: base.kind === 'moved' ? base.subset : undefined };
}

/** Reads the name of a rule that several releases may have a part in: what it says of each, the outermost first; nothing of a name that is none of ours. */
export function wovenRuleNames(name: string | undefined): readonly ParsedRuleName[] {
  const names: ParsedRuleName[] = [];
  for (let parsed = parseWovenRuleName(name); parsed !== undefined; parsed = parseWovenRuleName(parsed.baseName)) names.push(parsed);
  return names;
}

/**
 * Reads the name under which a data plane serves a woven rule: what it says of each release, the outermost first. That of a delegate's rule
 * comes behind the name of the root's rule and a hyphen (istio pilot/pkg/model mergeHTTPRoute).
 */
export function servedRuleNames(name: string | undefined): readonly ParsedRuleName[] {
  if (name === undefined) return [];
  let rest = name;
  for (;;) {
    const names = wovenRuleNames(rest);
    const next = rest.indexOf(`-${START}`);
    if (names.length > 0 || next < 0) return names;
    rest = rest.slice(next + 1);
  }
}

function encodeBase(base: BaseDestination): string {
  return encodeDestination(base) + (base.marked === true ? MARKED : '');
}

function encodeDestination(base: BaseDestination): string {
  if (base.kind === 'kept') return base.stamped ? STAMPED : KEPT;
  const subset = base.subset ?? NO_SUBSET;
  const address = base.address === undefined ? '' : `@${base.address.host}@${base.address.port ?? ''}`;
  return subset + address + (base.weight === undefined ? '' : `*${base.weight}`);
}

function decodeBase(text: string): BaseDestination | undefined {
  if (!text.endsWith(MARKED)) return decodeDestination(text);
  const base = decodeDestination(text.slice(0, -MARKED.length));
  return base === undefined ? undefined : { ...base, marked: true };
}

function decodeDestination(text: string): BaseDestination | undefined {
  if (text === KEPT || text === STAMPED) return { kind: 'kept', stamped: text === STAMPED };
  const parts = /^([^@*!]*)(?:@([^@*!]+)@(\d*))?(?:\*(\d+))?$/.exec(text);
  if (parts === null) return undefined;
  const [, subset = '', host, port = '', weight] = parts;
  const address = host === undefined ? undefined : { host, port: port === '' ? undefined : Number(port) };
  const moved = { kind: 'moved' as const, subset: subset === NO_SUBSET ? undefined : subset, address };
  return weight === undefined ? moved : { ...moved, weight: Number(weight) };
}
