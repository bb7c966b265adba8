/** What Envoy did with a case: forwarded it as a whole request, or answered with this status; waited for more; or spoke HTTP/2. */
export type EnvoyVerdict = number | 'forwarded' | 'no answer' | 'HTTP/2';

/** What `tools/record-envoy-verdicts.ts` writes down. */
export interface EnvoyVerdicts {
  readonly envoy: string;
  /** By name of the case. */
  readonly verdicts: Readonly<Record<string, EnvoyVerdict>>;
}
