import { isVisitorId } from '../visitor/bucket.ts';

/** A request at the edge that a rule of the release took, as far as its right to an id goes. */
export interface EdgeRequest {
  readonly requestId: string;
  /** The headers of these names, as received. */
  readonly accept: string | undefined;
  readonly fetchMode: string | undefined;
  readonly fetchSite: string | undefined;
}

/** Whether a request brought an id, or its answer issued one, or neither. */
export type EdgeVisitor = 'known' | 'issued' | 'none';

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
  private requests = 0;
  private issued = 0;
  private oddRequestIds = 0;
  private oddOnCanary = 0;
  private oddRequestId: string | undefined;
  private crossSite = 0;

  constructor(issueOn: 'documents' | 'all') {
    this.issueOn = issueOn;
  }

  /**
   * Counts a request; gives back whether it is one of those that something is wrong with. `drewCanary`: its rule sends new visitors to the
   * canary. Most requests have an id, and nothing else is asked of them.
   */
  count(request: EdgeRequest, visitor: EdgeVisitor, drewCanary: boolean): boolean {
    this.requests += 1;
    if (visitor === 'known') return false;
    const isCrossSite = request.fetchMode === 'cors' && request.fetchSite === 'cross-site';
    if (isCrossSite) this.crossSite += 1;
    if (visitor === 'issued') {
      this.issued += 1;
      return isCrossSite;
    }
    const { requestId } = request;
    const isOdd = !isVisitorId(requestId) && (this.issueOn === 'all' || asksForDocument(request));
    if (isOdd) {
      this.oddRequestIds += 1;
      if (drewCanary) this.oddOnCanary += 1;
      if (this.oddRequestId === undefined && PLAIN.test(requestId)) this.oddRequestId = requestId;
    }
    return isOdd || isCrossSite;
  }

  /** The figures of this moment. */
  summary(): EdgeFigures {
    const { requests, issued, oddRequestIds, oddOnCanary, oddRequestId, crossSite } = this;
    return { requests, issued, oddRequestIds, oddOnCanary, ...(oddRequestId !== undefined && { oddRequestId }), crossSite };
  }
}
