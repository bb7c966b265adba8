/** What `GET …/comparison` says, as far as the page reads it: what other schemes would have exposed, in percent of visitors. */
export interface Comparison {
  readonly visitorsPerMinute: number;
  readonly schemes: readonly {
    readonly scheme: string;
    readonly label: string;
    readonly points: readonly { readonly at: string; readonly share: number }[];
  }[];
}
