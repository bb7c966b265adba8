/** The cluster does not let the caller see it. */
export class NotAllowedError extends Error {
  override readonly name = 'NotAllowedError';
}
