import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { isVisitorId } from '../visitor/bucket.ts';
import { type Answer, allAnswers, type Observations } from './observations.ts';

/** The form of the request ids that answers show: `none` where they show none, as usual. */
export type RequestIdForm = 'none' | 'uuid' | 'other';

/** What a probe learnt about request ids, which become visitor ids. */
export interface RequestIdUse {
  readonly form: RequestIdForm;
  /** One of them. */
  readonly example: string | undefined;
  /** Whether the id that a client sent came back in a cookie or a header; undefined where it was not tried. */
  readonly takesOver: boolean | undefined;
  /** The cookie that it came back in. */
  readonly inCookie: string | undefined;
}

/** Looks at the `x-request-id` of the answers, and at what became of the one that was sent. */
export function requestIdsOf(seen: Observations): RequestIdUse {
  const own = seen.ownRequestId;
  const shown = allAnswers(seen).flatMap((answer) => (answer === own?.answer ? [] : (answer.headers.get('x-request-id') ?? [])));
  const other = shown.find((id) => !isVisitorId(id));
  const line = own?.answer.setCookies.find((each) => each.includes(own.sent));
  return {
    form: shown.length === 0 ? 'none' : other === undefined ? 'uuid' : 'other',
    example: other ?? shown[0],
    takesOver: own === undefined || own.answer.status === 0 ? undefined : line !== undefined || echoes(own.answer, own.sent),
    inCookie: line === undefined ? undefined : line.slice(0, line.indexOf('=')),
  };
}

/** Findings about request ids; one that only comes back in a header is a fact to know, no more. */
export function requestIdFindings({ form, example, inCookie }: RequestIdUse): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  if (inCookie !== undefined) {
    found.push({
      code: 'PERCH5030',
      severity: 'warning',
      object: `cookie ${inCookie}`,
      message: 'the x-request-id that the client sent became its visitor id, so clients choose their version',
      hint: 'let the edge replace x-request-id',
    });
  }
  if (form === 'other') {
    found.push({
      code: 'PERCH5031',
      severity: 'info',
      message: `answers show request ids such as ${example}, which do not end in a hyphen and 12 hex digits: they cannot become visitor ids`,
    });
  }
  return found;
}

function echoes(answer: Answer, id: string): boolean {
  return answer.headers.get('x-request-id') === id;
}
