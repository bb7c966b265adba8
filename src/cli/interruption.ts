import { outputError } from './output-error.ts';

/** The wish to end: by Ctrl-C, a signal, or because nobody reads the output any more. */
export interface Interruption {
  readonly signal: AbortSignal;
  /** Exit code of an interrupted command; undefined while nothing interrupted. */
  exitCode(): number | undefined;
  /** Says that this command runs until it is ended: SIGTERM is then how a service manager ends it, and no failure. */
  runsUntilEnded(): void;
  /**
   * From now on SIGHUP calls `listener` instead of ending the command, as logrotate and others expect it of services; not where stdin is a terminal,
   * which sends that signal when it is closed.
   */
  onHangup(listener: () => void): void;
}

/**
 * A second signal this soon is the same wish: on Ctrl-C the terminal signals the whole group, and npm passes its own
 * signal on once more, in ms.
 */
const SAME_WISH_MS = 500;

/**
 * Turns SIGINT, SIGTERM and SIGHUP into an abort, so that commands can clean up; a later second signal ends the process at
 * once. A closed pipe (EPIPE, as in `perch get | head`) or a terminal that is gone ends quietly. Output that cannot be written otherwise (a
 * full disk) ends a command with one line why and exit code 2; one that runs until it is ended goes on, and writes again once it can.
 */
export function watchInterruption(): Interruption {
  const controller = new AbortController();
  let code: number | undefined;
  let isService = false;
  let isTermination = false;
  let firstAt = 0;
  let isOutputLost = false;
  let onHangup: (() => void) | undefined;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (name === 'SIGHUP' && onHangup !== undefined) {
        onHangup();
        return;
      }
      if (code === undefined) {
        code = 130;
        isTermination = name === 'SIGTERM';
        firstAt = performance.now();
        controller.abort();
      } else if (performance.now() - firstAt >= SAME_WISH_MS) {
        process.exit(130);
      }
    });
  }
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      const said = outputError(stream, error);
      if (said === undefined) {
        code ??= 0;
        controller.abort();
        return;
      }
      if (!isOutputLost && stream === process.stdout) process.stderr.write(`${said}\n`);
      isOutputLost = true;
      if (!isService) controller.abort();
    });
  }
  return {
    signal: controller.signal,
    // Asked at the end: the signal may have come before the command said what it is.
    exitCode: () => {
      if (isService && isTermination) return 0;
      return code ?? (isOutputLost && !isService ? 2 : undefined);
    },
    runsUntilEnded: () => {
      isService = true;
    },
    onHangup: (listener) => {
      if (process.stdin.isTTY !== true) onHangup = listener;
    },
  };
}
