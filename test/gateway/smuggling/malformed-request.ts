/** Where a case of the corpus is sent: at the edge, inside, or to the proxy listener. */
export type CaseListener = 'ingress' | 'mesh' | 'proxy';

/** Bytes that are no request, or one that two servers could read differently: refused, never forwarded, and nothing behind it is read. */
export interface MalformedRequest {
  /** Document and section (`9112 6.3`) that it breaks, or by which a server may refuse it. */
  readonly section: string;
  readonly name: string;
  /** Of the one answer. */
  readonly status: number;
  /** latin1 text. */
  readonly bytes: string;
  /** The edge where absent. */
  readonly listener?: CaseListener;
  /**
   * What may have reached the upstream before the mistake was seen: of a request whose body is malformed its beginning, cut off and never
   * a whole request; nothing where absent.
   */
  readonly upstream?: 'part';
}

/** Cases of one subject. */
export interface Subject {
  readonly title: string;
  readonly cases: readonly MalformedRequest[];
}

/** A case as it is written down. */
export type Row = readonly [section: string, name: string, status: number, bytes: string];

/** The cases that rows say, with what all of them share. */
export function casesOf(rows: readonly Row[], shared: Pick<MalformedRequest, 'listener' | 'upstream'> = {}): readonly MalformedRequest[] {
  return rows.map(([section, name, status, bytes]) => ({ section, name, status, bytes, ...shared }));
}
