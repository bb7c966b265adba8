/** Where a runtime says what happens to it, in lines for people. */
export interface RuntimeLog {
  info(message: string): void;
  warn(message: string): void;
  /** `error` is what was thrown; its stack is for the log, not for users. */
  error(message: string, error?: unknown): void;
}
