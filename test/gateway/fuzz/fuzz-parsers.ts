import { DEFAULT_LIMITS } from '../../../src/gateway/limits.ts';
import { allowedDifference } from './allowed-differences.ts';
import { Draw } from './draw.ts';
import { requestText, responseText } from './messages.ts';
import { minimise } from './minimise.ts';
import { mutate } from './mutate.ts';
import { judgeRequests } from './request-property.ts';
import { judgeResponse } from './response-property.ts';
import { segments } from './segments.ts';

/** What a run of the parsers came to. */
export interface ParserFigures {
  readonly inputs: number;
  /** How often each verdict was given, such as `request: forwarded`. */
  readonly counts: ReadonlyMap<string, number>;
}

/** A failing input, as short as it could be made. */
export class FuzzFailure extends Error {
  constructor(seed: number, ordinal: number, what: string, text: string) {
    super(`input ${ordinal} of seed ${seed}: ${what}\nminimised: ${JSON.stringify(text)}`);
  }
}

/** Seeds of neighbours have nothing in common. */
export function drawFor(seed: number, ordinal: number): Draw {
  return new Draw(Math.imul(seed, 0x9e3779b1) ^ Math.imul(ordinal + 1, 0x85ebca6b));
}

type Verdicts = readonly string[];

function judgeRequest(text: string, draw: Draw): Verdicts {
  const { forwarded, refused, laxer } = judgeRequests(text, segments(Buffer.from(text, 'latin1'), draw), DEFAULT_LIMITS);
  if (laxer !== undefined && allowedDifference(laxer, text) === undefined) throw new Error(`accepted although llhttp says: ${laxer}`);
  if (forwarded + refused === 0) return ['inputs without a whole request'];
  return [...Array<string>(forwarded).fill('requests forwarded'), ...Array<string>(refused).fill('requests refused by the gateway')];
}

function judgeAnswer(text: string, draw: Draw): Verdicts {
  const { kind, reason } = judgeResponse(text, segments(Buffer.from(text, 'latin1'), draw), draw.oneIn(6), DEFAULT_LIMITS);
  if (kind === 'both') return ['responses read alike'];
  if (kind === 'neither') return ['responses that neither takes for whole'];
  if (kind === 'stricter') return ['responses that the gateway alone refuses'];
  const allowed = allowedDifference(reason, text);
  if (allowed === undefined) throw new Error(`accepted although llhttp says: ${reason}`);
  return ['responses that llhttp alone refuses'];
}

function failureOf(judge: () => unknown): string | undefined {
  try {
    judge();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * Holds the gateway's parsers against llhttp: `inputs` texts, half of them requests and half responses, most with mistakes in them.
 * @throws FuzzFailure at the first that is read in another way, differs with how it is cut in pieces, or throws.
 */
export function fuzzParsers(seed: number, inputs: number, progress: (done: number) => void = () => undefined): ParserFigures {
  const counts = new Map<string, number>();
  for (let ordinal = 0; ordinal < inputs; ordinal++) {
    const draw = drawFor(seed, ordinal);
    const isRequest = ordinal % 2 === 0;
    const [make, judge] = isRequest ? [requestText, judgeRequest] : [responseText, judgeAnswer];
    const [one, other] = [make(draw, `m${ordinal}`), make(draw, `n${ordinal}`)];
    const text = draw.oneIn(10) ? one + other : mutate(one, other, draw) + (draw.oneIn(4) ? other : '');
    const pieces = draw.below(2 ** 30);
    try {
      for (const verdict of judge(text, new Draw(pieces))) counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
    } catch (error) {
      const shortest = minimise(text, (candidate) => failureOf(() => judge(candidate, new Draw(pieces))) !== undefined);
      const what = failureOf(() => judge(shortest, new Draw(pieces))) ?? String(error);
      throw new FuzzFailure(seed, ordinal, what, shortest);
    }
    if (ordinal % 10_000 === 0) progress(ordinal);
  }
  return { inputs, counts };
}
