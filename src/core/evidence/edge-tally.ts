import { isVisitorId } from '../visitor/bucket.ts';

/** A request at the edge that a rule of the release took, as far as its right to an id goes. */
export interface EdgeRequest {
  readonly requestId: string;
  /** The headers of these names, as received. */
  readonly accept: string | undefined;
  readonly fetchMode: string | undefined;
  readonly fetchSite: string | undefined;
  /** Whether it brought an id, and whether its answer issued one. */
  readonly known: boolean;
  readonly issued: boolean;
  /** Whether the rule sends new visitors to the canary. */
  readonly drewCanary: boolean;
}

/** What came in at the edge since the step began, without OPTIONS and synthetic visitors. */
export interface EdgeFigures {
  readonly requests: number;
  /** Answers that carried a new id. */
  readonly issued: number;
  /** Requests that had a right to an id and got no valid one: what their request id ends in is none. */
  readonly oddRequestIds: number;
  /** Those of them that are on the canary, as the beginning of a short last group happens to look like a bucket. */
  readonly oddOnCanary: number;
  /** One of those request ids, where it is short and plain. */
  readonly oddRequestId?: string;
  /** Requests of scripts on other sites that brought no id: without credentials they never will. */
  readonly crossSite: number;
}

const PLAIN = /^[\w.:/+=-]{1,64}$/;

/** Whether a request asks for a document, as the woven rules tell it (`visitorId.issueOn: documents`). */
export function asksForDocument({ accept, fetchMode }: Pick<EdgeRequest, 'accept' | 'fetchMode'>): boolean {
  return accept?.includes('text/html') === true || fetchMode === 'navigate';
}

/** Counts who gets no id at the edge, and why. A handful of numbers, whatever comes in. */
export class EdgeTally {
  private readonly issueOn: 'documents' | 'all';
  private figures: EdgeFigures = NOTHING;

  constructor(issueOn: 'documents' | 'all') {
    this.issueOn = issueOn;
  }

  /** Counts a request; gives back whether it is one of those that something is wrong with. */
  count(request: EdgeRequest): boolean {
    const { known, issued, requestId, drewCanary } = request;
    const isCrossSite = !known && request.fetchMode === 'cors' && request.fetchSite === 'cross-site';
    const hasRight = this.issueOn === 'all' || asksForDocument(request);
    const isOdd = !known && !issued && hasRight && !isVisitorId(requestId);
    const { requests, issued: before, oddRequestIds, oddOnCanary, oddRequestId, crossSite } = this.figures;
    const example = oddRequestId ?? (isOdd && PLAIN.test(requestId) ? requestId : undefined);
    this.figures = {
      requests: requests + 1,
      issued: before + (issued ? 1 : 0),
      oddRequestIds: oddRequestIds + (isOdd ? 1 : 0),
      oddOnCanary: oddOnCanary + (isOdd && drewCanary ? 1 : 0),
      ...(example !== undefined && { oddRequestId: example }),
      crossSite: crossSite + (isCrossSite ? 1 : 0),
    };
    return isOdd || isCrossSite;
  }

  /** The figures of this moment. */
  summary(): EdgeFigures {
    return this.figures;
  }
}

const NOTHING: EdgeFigures = { requests: 0, issued: 0, oddRequestIds: 0, oddOnCanary: 0, crossSite: 0 };
