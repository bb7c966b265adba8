/** One write of somebody else that took releases out of an object. */
interface Rewrite {
  /** Names the object. */
  readonly key: string;
  /** Whoever owns the rules now, as `metadata.managedFields` has it. */
  readonly manager: string;
  /** Whether the rules are the ones that were woven in: written again, not changed. */
  readonly isSameBase: boolean;
}

interface Contest {
  /** When the next weaving would be due if there were one each `PACE_MS`. */
  paceAt: number;
  /** How often the same base was written again. */
  count: number;
  /** When the first and the last of those were. */
  firstAt: number;
  lastAt: number;
  readonly told: Set<string>;
}

/** So many are no accident. */
const MANY = 3;
/** Longer than this apart, in ms, they have nothing to do with each other: GitOps tools write each few seconds to half an hour. */
const APART_MS = 60 * 60_000;
/** An object that is written over is woven anew at once, but for one that is so again and again: so many times at once, then once in this time, in ms. */
const BURST = 5;
const PACE_MS = 1000;
/** Of a contest no more is told than this. */
const MOST_TOLD = 8;

/**
 * Keeps account of who writes objects again without the releases that are woven into them. A tool that holds an object to what it has in git does so for
 * ever, and where it is quick, two programs would write without a pause.
 */
export class Rewrites {
  readonly #contests = new Map<string, Contest>();
  readonly #now: () => number;

  /** `now`: ms, of a clock that never goes back. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** What is to be told, once for each contest; undefined where there is nothing new to say. */
  note({ key, manager, isSameBase }: Rewrite): string | undefined {
    const now = this.#now();
    const contest = this.#pace(key, now);
    // A change is what its owner is there for.
    if (!isSameBase) contest.count = 0;
    else contest.count += 1;
    if (contest.count <= 1) contest.firstAt = now;
    if (contest.count < MANY || !this.isNews(key, manager)) return undefined;
    const seconds = Math.max(1, Math.round((now - contest.firstAt) / 1000));
    return (
      `${manager} wrote ${key} ${contest.count} times within ${seconds} s as it was, without the release: it is woven in again each time, but for a ` +
      `moment requests go by the bare rules. ${remedyFor(manager)}`
    );
  }

  /** What somebody wrote into an object that a release owns is taken back. */
  takenBack(key: string): void {
    this.#pace(key, this.#now());
  }

  #pace(key: string, now: number): Contest {
    const contest = this.#contestOver(key, now);
    contest.paceAt = Math.max(contest.paceAt, now) + PACE_MS;
    contest.lastAt = now;
    return contest;
  }

  /** Whether this was not said of the object yet: then it counts as said. In a contest the same happens again and again. */
  isNews(key: string, text: string): boolean {
    const { told } = this.#contestOver(key, this.#now());
    if (told.has(text) || told.size >= MOST_TOLD) return false;
    told.add(text);
    return true;
  }

  #contestOver(key: string, now: number): Contest {
    for (const [each, { lastAt }] of this.#contests) if (now - lastAt > APART_MS) this.#contests.delete(each);
    const contest = this.#contests.get(key) ?? { paceAt: now, count: 0, firstAt: now, lastAt: now, told: new Set() };
    this.#contests.set(key, contest);
    return contest;
  }

  /** For how many ms the object is better left as it is. */
  restOf(key: string): number {
    const { paceAt = 0 } = this.#contests.get(key) ?? {};
    return Math.max(0, paceAt - this.#now() - BURST * PACE_MS);
  }

  forget(key: string): void {
    this.#contests.delete(key);
  }
}

function remedyFor(manager: string): string {
  const owned = 'let the release own its routes (spec.route.delegate)';
  if (manager.startsWith('argocd')) {
    return `In the Application, ignore /spec/http of it (ignoreDifferences) with RespectIgnoreDifferences=true, or ${owned}`;
  }
  if (manager === 'kustomize-controller') return `In the Kustomization, ignore /spec/http of it (spec.ignore), or ${owned}`;
  return `Have it leave spec.http alone, or ${owned}`;
}
