import { type HttpRouteMatch, type HttpRouteRule, matchesOf } from '../gateway-api/http-route.ts';
import { comparePrecedence, contestOf, excludeEachOther, type Precedence, precedenceOf } from '../gateway-api/precedence.ts';

/** One match of a route, and what weaving makes of its place. */
export interface PlacedMatch {
  readonly rule: number;
  /** Among the matches of the rule. */
  readonly at: number;
  readonly match: HttpRouteMatch;
  readonly precedence: Precedence;
  readonly contest: string;
  readonly isWoven: boolean;
  /** Neutral headers that the match itself gets: the base's own, as it stays beside the rules of the release, or as their rest. */
  readonly padding: number;
}

/**
 * Where the matches of a base stand once the rules that `isWoven` names are woven. What a release puts before a base match asks for `raise` headers more than
 * that does, so it might overtake what came before. Of matches of one contest, in their order: what is not woven, and stands before something woven, is raised
 * by as much; and so is the rest of something woven that stands before such a one. Then nobody comes to stand before anybody whom they stood behind: all that
 * are raised are raised alike, and what is not raised stands behind them as before.
 */
export function placeMatches(rules: readonly HttpRouteRule[], isWoven: (rule: number) => boolean, raise: number): readonly PlacedMatch[] {
  const all = rules.flatMap((rule, index) =>
    matchesOf(rule).map(
      (match, at): PlacedMatch => ({
        rule: index,
        at,
        match,
        precedence: precedenceOf(match),
        contest: contestOf(match),
        isWoven: isWoven(index),
        padding: 0,
      }),
    ),
  );
  const contests = Map.groupBy(all, ({ contest }) => contest);
  return [...contests.values()].flatMap((contest) => paddedContest(contest, raise));
}

function paddedContest(contest: readonly PlacedMatch[], raise: number): readonly PlacedMatch[] {
  const ordered = contest.toSorted((left, right) => comparePrecedence(left.precedence, right.precedence));
  const lastWoven = ordered.findLastIndex((each) => each.isWoven);
  const lastRaised = ordered.findLastIndex((each, index) => !each.isWoven && index < lastWoven);
  return ordered.map((each, index) => (index <= lastRaised ? { ...each, padding: raise } : each));
}

/** A route that shares parents and hosts with another. */
export interface RivalRoute {
  readonly rules: readonly HttpRouteRule[];
  /** Of equals it comes first: it is older, or of its age and before it by name. */
  readonly isFirst: boolean;
}

/** A match that would come before one of a rival that stood before it, and which one. */
export function overtaking(
  placed: readonly PlacedMatch[],
  { rules, isFirst }: RivalRoute,
  raise: number,
): { readonly own: PlacedMatch; readonly rule: number } | undefined {
  const theirs = rules.flatMap((rule, index) => matchesOf(rule).map((match) => ({ match, index, precedence: precedenceOf(match) })));
  for (const own of placed) {
    const by = own.isWoven ? raise : own.padding;
    if (by === 0) continue;
    const raised = { ...own.precedence, headers: own.precedence.headers + by };
    const met = theirs.find(
      ({ match, precedence }) =>
        contestOf(match) === own.contest &&
        !excludeEachOther(match, own.match) &&
        standsBefore(precedence, own.precedence, isFirst) &&
        !standsBefore(precedence, raised, isFirst),
    );
    if (met !== undefined) return { own, rule: met.index };
  }
  return undefined;
}

function standsBefore(theirs: Precedence, own: Precedence, isFirst: boolean): boolean {
  const order = comparePrecedence(theirs, own);
  return order < 0 || (order === 0 && isFirst);
}
