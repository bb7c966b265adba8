/** Sizes of the origin's answers, by the name that `--sizes` and the tables use. */
export const BODY_SIZES = {
  '1k': { label: '1 KB', bytes: 1024, path: '/shop/items' },
  '100k': { label: '100 KB', bytes: 100 * 1024, path: '/shop/catalogue' },
} as const;

/** One of `BODY_SIZES`. */
export type BodySize = keyof typeof BODY_SIZES;
