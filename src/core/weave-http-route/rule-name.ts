import type { Cohort } from '../visitor/cohort.ts';

/**
 * Why a rule of a woven HTTPRoute is there: `told` the cohort, as the edge stamped it, `known` a valid id, `new` none, so that the request id decides and, at the
 * edge, becomes the id, `rest` everything else, and `beside`: it is no rule of the release, and has neutral header matches so that those do not overtake it.
 */
export type HttpRuleRole = 'told' | 'known' | 'new' | 'rest' | 'beside';

/** What the name of a rule says. */
export interface HttpRuleName {
  readonly namespace: string;
  readonly release: string;
  readonly role: HttpRuleRole;
  readonly cohort: Cohort;
  /** Index of the base rule, and which one of several rules with this role it is: names are unique within a route. */
  readonly index: number;
  readonly part: number;
  /** Only of `rest`: the backend in the base; undefined where it is kept, since ids are issued there only. */
  readonly base?: { readonly name: string; readonly port: number | undefined };
  /** Answers of the rest are marked private too. */
  readonly marked?: boolean;
  /** Requests of the rest are stamped with their cohort. */
  readonly stamped?: boolean;
  /** Only of `rest` and `beside`: name of the base rule. */
  readonly baseName?: string;
}

/** A name is a DNS subdomain (Gateway API, SectionName). */
export const LONGEST_NAME = 253;

const ROLES: readonly HttpRuleRole[] = ['told', 'known', 'new', 'rest', 'beside'];
const COHORTS: readonly Cohort[] = ['canary', 'stable'];
const MARKED = 'private';
const STAMPED = 'stamped';

/**
 * `perch.NAMESPACE.RELEASE.ROLE.COHORT.INDEX-PART`; of `rest` then `.LABELS.HOST.PORT`, the backend of the base with the count of its labels (`1.web-v1.9080`; port 0:
 * none), or `.0` where backends are kept, `.private` where answers are marked, and `.stamped` where requests are; of `rest` and `beside` at last the base rule's
 * name, where it has one, behind `.named`.
 */
export function httpRuleName({ namespace, release, role, cohort, index, part, base, marked, stamped, baseName }: HttpRuleName): string {
  const backend = base === undefined ? [0] : [base.name.split('.').length, base.name, base.port ?? 0];
  const marks = [...(marked === true ? [MARKED] : []), ...(stamped === true ? [STAMPED] : [])];
  const all = ['perch', namespace, release, role, cohort, `${index}-${part}`, ...(role === 'rest' ? [...backend, ...marks] : [])];
  return [...all, ...(baseName === undefined ? [] : ['named', baseName])].join('.');
}

/** Reads a name back; undefined for every other one. */
export function parseHttpRuleName(name: string | undefined): HttpRuleName | undefined {
  const [start, namespace, release, roleText, cohortText, place = '', ...rest] = (name ?? '').split('.');
  const role = ROLES.find((each) => each === roleText);
  const cohort = COHORTS.find((each) => each === cohortText);
  const numbers = /^(\d+)-(\d+)$/.exec(place);
  if (start !== 'perch' || namespace === undefined || release === undefined) return undefined;
  if (role === undefined || cohort === undefined || numbers === null) return undefined;
  const own = { namespace, release, role, cohort, index: Number(numbers[1]), part: Number(numbers[2]) };
  if (role !== 'rest') return withBaseName(own, rest);
  if (rest[0] === '0') return withMarks(own, rest.slice(1));
  const labels = Number(rest[0]);
  const port = rest[labels + 1];
  if (!(labels > 0) || port === undefined || !/^\d+$/.test(port)) return undefined;
  const base = { name: rest.slice(1, labels + 1).join('.'), port: port === '0' ? undefined : Number(port) };
  return withMarks({ ...own, base }, rest.slice(labels + 2));
}

function withMarks(name: HttpRuleName, [mark, ...behind]: readonly string[]): HttpRuleName | undefined {
  if (mark === MARKED) return withMarks({ ...name, marked: true }, behind);
  if (mark === STAMPED) return withMarks({ ...name, stamped: true }, behind);
  return withBaseName(name, mark === undefined ? [] : [mark, ...behind]);
}

function withBaseName(name: HttpRuleName, [mark, ...labels]: readonly string[]): HttpRuleName | undefined {
  if (mark === undefined) return name;
  return mark === 'named' && labels.length > 0 ? { ...name, baseName: labels.join('.') } : undefined;
}
