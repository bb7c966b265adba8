import type { Cohort } from '../visitor/cohort.ts';

/**
 * Why a woven rule matches: `known` a valid id in the cookie; `new` the request id (at a gateway it also issues the id); `told` baggage;
 * `rest` everything else.
 */
export type RuleRole = 'known' | 'new' | 'told' | 'rest';

/**
 * What the rule's destination was in the base: `kept` as it is (issuing rules lead where they led before; `stamped`: with a baggage stamp
 * added), or `moved` to a version. `address` is there where host or port were replaced too.
 */
export type BaseDestination =
  | { readonly kind: 'kept'; readonly stamped: boolean }
  | {
      readonly kind: 'moved';
      readonly subset: string | undefined;
      readonly address: { readonly host: string; readonly port: number | undefined } | undefined;
    };

/** What a woven rule's name says (docs/architecture.md, "The woven rule's name"). */
export interface WovenRuleName {
  readonly namespace: string;
  readonly release: string;
  readonly role: RuleRole;
  readonly cohort: Cohort;
  readonly base: BaseDestination;
  /** Name of the base rule; undefined where it has none. */
  readonly baseName: string | undefined;
}

/** What was read from a name; `baseSubset` is undefined where the base names no subset, or where destinations are kept. */
export type ParsedRuleName = WovenRuleName & { readonly baseSubset: string | undefined };

const START = 'perch:';
const ROLES: readonly RuleRole[] = ['known', 'new', 'told', 'rest'];
const COHORTS: readonly Cohort[] = ['canary', 'stable'];
const NO_SUBSET = '-';
const KEPT = '=';
const STAMPED = '+';

/**
 * `perch:NAMESPACE/RELEASE:ROLE:COHORT:BASE:NAME`. BASE is the base's subset or `-`, followed by `@HOST@PORT` where the version replaced
 * those; or `=` (destinations kept), `+` (kept and stamped). `:NAME` is absent where the base rule has no name.
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

function encodeBase(base: BaseDestination): string {
  if (base.kind === 'kept') return base.stamped ? STAMPED : KEPT;
  const subset = base.subset ?? NO_SUBSET;
  return base.address === undefined ? subset : `${subset}@${base.address.host}@${base.address.port ?? ''}`;
}

function decodeBase(text: string): BaseDestination | undefined {
  if (text === KEPT || text === STAMPED) return { kind: 'kept', stamped: text === STAMPED };
  const parts = /^([^@]*)(?:@([^@]+)@(\d*))?$/.exec(text);
  if (parts === null) return undefined;
  const [, subset = '', host, port = ''] = parts;
  const address = host === undefined ? undefined : { host, port: port === '' ? undefined : Number(port) };
  return { kind: 'moved', subset: subset === NO_SUBSET ? undefined : subset, address };
}
