import { expect, test } from 'vitest';
import { holderIn } from './lock-holder.ts';

const LOCKS = `1: POSIX  ADVISORY  WRITE 19934 fe:00:9981112 1073741824 1073742335
2: FLOCK  ADVISORY  WRITE 708 fe:00:77 0 EOF
2: -> FLOCK  ADVISORY  WRITE 709 fe:00:77 0 EOF
3: POSIX  ADVISORY  READ 710 fd:01:78 1073741826 1073742335
4: POSIX  ADVISORY  WRITE 0 00:2f:79 1073741824 1073742335
5: POSIX  ADVISORY  WRITE 711 00:2f:80 0 0
`;

test.each([
  [9981112, 19934],
  [78, 710],
  [77, undefined],
  [79, undefined],
  [80, undefined],
  [81, undefined],
])('who holds SQLite’s lock on inode %i: %s', (inode, pid) => {
  expect(holderIn(LOCKS, inode)).toBe(pid);
});
