/** Hex digits that decide a draw start at one of these places of the id's last group; each is an independent draw. */
export type Offset = 0 | 3 | 6 | 9;
