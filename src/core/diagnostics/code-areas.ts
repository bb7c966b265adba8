/** What the first two digits of a code stand for, in the order in which they are listed. */
export const CODE_AREAS: Readonly<Record<string, string>> = {
  '10': 'Reading files',
  '11': 'Istio objects',
  '12': 'CanaryRelease',
  '13': 'Not supported by the embedded gateway',
  '20': 'Weaving releases into routes',
  '30': 'Releases and requests',
  '40': 'The runtime and its API',
  '50': 'What perch doctor finds on a site',
};

/** The first two digits of `PERCH1104`. */
export function areaOf(code: string): string {
  return code.slice('PERCH'.length, 'PERCH'.length + 2);
}
