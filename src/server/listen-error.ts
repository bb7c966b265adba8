/** A port that could not be opened. The message says which and why, without the remedy: that depends on who asked for it. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly port: number;

  constructor(port: number, code: string, cause?: unknown) {
    const reasons: Readonly<Record<string, string>> = {
      EADDRINUSE: 'is in use by another program',
      EACCES: 'may not be opened by this user',
    };
    super(`port ${port} ${reasons[code] ?? `cannot be opened (${code})`}`, { cause });
    this.port = port;
  }
}

/** The failure of a `listen` system call as a ListenError; undefined for any other error. */
export function asListenError(error: unknown): ListenError | undefined {
  if (error instanceof ListenError) return error;
  if (!(error instanceof Error) || !('code' in error) || !('port' in error)) return undefined;
  const { code, port } = error;
  return typeof code === 'string' && typeof port === 'number' ? new ListenError(port, code, error) : undefined;
}
