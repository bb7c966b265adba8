/** Why a command ends early, in one line for people that says what to do. Anything else that is thrown is a bug and shows its stack. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError';
  /** 1: findings, or a release that failed; 2: could not run. */
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 2) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The one who asks is not known, or may not: asking again is of no use. */
export class NotAllowedError extends CommandError {}
