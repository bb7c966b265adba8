/** As much of a step as says what it does. */
interface DescribedStep {
  readonly weight?: number | undefined;
  readonly match?: readonly { readonly headers: Readonly<Record<string, unknown>> }[] | undefined;
}

/** What a step does, in a few words: `10 %`, `those picked by header x-team`. */
export function describeStep({ weight = 0, match }: DescribedStep): string {
  if (match === undefined) return `${weight} %`;
  const names = new Set(match.flatMap(({ headers }) => Object.keys(headers)));
  return `those picked by header ${[...names].join(', ')}`;
}
