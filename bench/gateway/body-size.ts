/** What one request of a load asks for. */
interface Work {
  readonly label: string;
  /** Of the answer's body. */
  readonly bytes: number;
  readonly path: string;
  /** Of the request's body; 0: a GET. */
  readonly posted: number;
  readonly tls: boolean;
}

/** The requests of the bench, by the name that `--sizes` and the tables use. */
export const BODY_SIZES = {
  '1k': { label: '1 KB', bytes: 1024, path: '/shop/items', posted: 0, tls: false },
  '100k': { label: '100 KB', bytes: 100 * 1024, path: '/shop/catalogue', posted: 0, tls: false },
  post: { label: 'POST of 10 KB, answered 1 KB', bytes: 1024, path: '/shop/items', posted: 10 * 1024, tls: false },
  tls: { label: '1 KB over TLS', bytes: 1024, path: '/shop/items', posted: 0, tls: true },
} as const satisfies Record<string, Work>;

/** One of `BODY_SIZES`. */
export type BodySize = keyof typeof BODY_SIZES;
