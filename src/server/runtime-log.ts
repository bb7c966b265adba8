import type { ControllerLog } from '../controller/controller-log.ts';
import { logText } from '../core/diagnostics/log-text.ts';

/** Where a runtime says what happens to it, in lines for people. */
export interface RuntimeLog {
  info(message: string): void;
  warn(message: string): void;
  /** `error` is what was thrown; its stack is for the log, not for users. */
  error(message: string, error?: unknown): void;
  /** A change that someone asked for: when, who, what, and what came of it. One line, whatever users wrote. */
  audit(line: string): void;
}

/** What a controller says, as lines of the runtime's log. */
export function controllerLog(log: RuntimeLog): ControllerLog {
  return ({ type, release, message, by, error }) => {
    // Messages name hosts, and what was asked for: users write both.
    const line = `${release === undefined ? '' : `${release}: `}${logText(message)}${by === undefined ? '' : ` (by ${logText(by)})`}`;
    if (type === 'Error') log.error(line, error);
    else if (type === 'Warning') log.warn(line);
    else log.info(line);
  };
}
