/** Of the contest for leadership, in ms: as client-go's, five times as fast. */
export const CONTEST_TIMES = { lease: 3000, renewDeadline: 2000, retry: 400 } as const;
