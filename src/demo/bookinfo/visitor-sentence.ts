/** What Perch's API says about one visitor (GET /api/v1/releases/NS/NAME/visitors/ID?told=COHORT). */
export interface VisitorSentence {
  readonly sentence: string;
  /** Undefined where it cannot be known. */
  readonly cohort?: string;
  /** 0..4095; undefined where buckets do not decide (`affinity.mode: canaryOnly`). */
  readonly bucket?: number;
  /** How far the release is, in percent. */
  readonly weight: number;
}

/** Whom to ask, and about which release. */
interface VisitorSentencesOptions {
  /** Origin of a Perch API, such as `http://127.0.0.1:7070`; undefined: there is no Perch, and never a sentence. */
  readonly perchApi: string | undefined;
  /** `namespace/name` of the release. */
  readonly release: string;
  /** Monotonic milliseconds; default: performance.now. */
  readonly now?: () => number;
}

/** Asks Perch about visitors, sparingly. */
export interface VisitorSentences {
  /** Never rejects; undefined where Perch is absent, slow (a second) or has nothing to say. */
  about(visitor: VisitorOnPage): Promise<VisitorSentence | undefined>;
}

/** What a page knows of its visitor. */
export interface VisitorOnPage {
  readonly id: string;
  /** The cohort that the edge stamped on the request's baggage; undefined where it did not. */
  readonly told: string | undefined;
  /** The version that stands beside the sentence, where it is known. */
  readonly shown: string | undefined;
}

const TIMEOUT_MS = 1_000;
const FRESH_MS = 1_000;
const MAX_CACHED = 2_000;
/** One slow answer is a busy machine; as many in a row are a Perch that is gone. */
const TOLERATED_FAILURES = 2;

/**
 * A client that asks at most once a second for an id and the version shown, and leaves a Perch alone for a second that twice did not
 * answer.
 */
export function createVisitorSentences(options: VisitorSentencesOptions): VisitorSentences {
  const { perchApi, release } = options;
  const now = options.now ?? (() => performance.now());
  const cache = new Map<string, { readonly until: number; readonly answer: Promise<VisitorSentence | undefined> }>();
  let silentUntil = Number.NEGATIVE_INFINITY;
  let failures = 0;

  async function ask({ id, told }: VisitorOnPage): Promise<VisitorSentence | undefined> {
    try {
      const query = told === undefined ? '' : `?told=${told}`;
      const response = await fetch(`${perchApi}/api/v1/releases/${release}/visitors/${encodeURIComponent(id)}${query}`, {
        headers: { accept: 'application/json' },
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      failures = 0;
      if (!response.ok) {
        await response.body?.cancel();
        return undefined;
      }
      return parse(await response.json());
    } catch {
      failures += 1;
      // Else every page would wait a second for it.
      if (failures >= TOLERATED_FAILURES) silentUntil = now() + FRESH_MS;
      return undefined;
    }
  }

  return {
    about: (visitor) => {
      if (perchApi === undefined || now() < silentUntil) return Promise.resolve(undefined);
      // A visitor who has just moved must not read what was true of the version before.
      const key = `${visitor.id} ${visitor.told} ${visitor.shown}`;
      const cached = cache.get(key);
      if (cached !== undefined && now() < cached.until) return cached.answer;
      const answer = ask(visitor);
      // Deleted first, so that the map's order is by age and its first key is the oldest.
      cache.delete(key);
      cache.set(key, { until: now() + FRESH_MS, answer });
      if (cache.size > MAX_CACHED) {
        const oldest = cache.keys().next().value;
        if (oldest !== undefined) cache.delete(oldest);
      }
      return answer;
    },
  };
}

function parse(value: unknown): VisitorSentence | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { sentence, cohort, bucket, weight } = value as Partial<Record<keyof VisitorSentence, unknown>>;
  if (typeof sentence !== 'string' || typeof weight !== 'number') return undefined;
  return { sentence, weight, ...(typeof cohort === 'string' && { cohort }), ...(typeof bucket === 'number' && { bucket }) };
}
