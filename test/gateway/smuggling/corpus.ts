import { CHUNKS } from './cases/chunks.ts';
import { CONNECTIONS } from './cases/connections.ts';
import { FIELDS } from './cases/fields.ts';
import { FRAMING } from './cases/framing.ts';
import { HOSTS } from './cases/hosts.ts';
import { INSIDE } from './cases/inside.ts';
import { LINE_ENDS } from './cases/line-ends.ts';
import { LONG_THINGS } from './cases/long-things.ts';
import { PROXY } from './cases/proxy.ts';
import { REQUEST_LINE } from './cases/request-line.ts';
import { TARGETS } from './cases/targets.ts';
import type { Subject } from './malformed-request.ts';

/** Every malformed request of the corpus, by subject (docs/reference/malformed-requests.md). */
export const MALFORMED: readonly Subject[] = [
  FRAMING,
  CHUNKS,
  LINE_ENDS,
  FIELDS,
  REQUEST_LINE,
  TARGETS,
  HOSTS,
  CONNECTIONS,
  LONG_THINGS,
  INSIDE,
  PROXY,
];
