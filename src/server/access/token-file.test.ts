import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readTokens, TokenFileError } from './token-file.ts';

const LOOK = '6f1c1d3b0f0e4a7c9a5b8d2e4f60718293a4b5c6d7e8f901';
const ACT = 'Zm9vYmFyYmF6cXV4LXRoaXMtaXMtbG9uZy1lbm91Z2g=';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'perch-tokens-'));
  file = join(folder, 'tokens');
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(text: string, mode = 0o600): void {
  writeFileSync(file, text);
  chmodSync(file, mode);
}

test('a token is known by its role, and by nothing but the whole of it', async () => {
  write(`# who may look\nview ${LOOK}\n\n  act\t${ACT}  \r\n`);
  const tokens = await readTokens(file);
  expect(tokens.roleOf(LOOK)).toBe('view');
  expect(tokens.roleOf(ACT)).toBe('act');
  for (const wrong of ['', LOOK.slice(1), LOOK.toUpperCase(), `${ACT}=`, `view ${LOOK}`]) expect(tokens.roleOf(wrong)).toBeUndefined();
});

test.each([
  ['no line', '# nothing yet\n', /has no token: a line is view TOKEN, or act TOKEN$/],
  ['a role that does not exist', `admin ${LOOK}`, /^line 1 of .* is neither view TOKEN nor act TOKEN$/],
  ['a token alone', `\n${LOOK}`, /^line 2 of .* is neither/],
  ['more than a token', `act ${ACT} alice`, /is neither/],
  ['a short token', `act ${ACT.slice(0, 31)}`, /not 32 to 512 random characters; openssl rand -hex 32 makes one$/],
  ['a long token', `act ${ACT.repeat(20)}`, /characters other than|not 32 to 512/],
  ['a token of few letters', `act ${'ab'.repeat(40)}`, /random characters/],
  ['a token with other characters', `act ${LOOK}"`, /characters other than letters/],
  ['the same token twice', `view ${LOOK}\nact ${LOOK}`, /^line 2 of .* repeats a token$/],
])('%s is refused, and the token is not in the message', async (_, text, message) => {
  write(text);
  const failure = await readTokens(file).then(
    () => undefined,
    (error: unknown) => error as Error,
  );
  expect(failure).toBeInstanceOf(TokenFileError);
  expect(failure?.message).toMatch(message);
  for (const token of [LOOK, ACT.slice(0, 31)]) expect(failure?.message).not.toContain(token);
});

test('a file that is not there, or too long, is refused', async () => {
  await expect(readTokens(join(folder, 'none'))).rejects.toThrow(/cannot be read: ENOENT/);
  write(`#${'x'.repeat(65_536)}`);
  await expect(readTokens(file)).rejects.toThrow(/more than 65536 bytes/);
});

test('that others may read it is told; that its group may, is not', async () => {
  for (const [mode, isReadableByOthers] of [
    [0o600, false],
    [0o640, false],
    [0o644, true],
  ] as const) {
    write(`view ${LOOK}`, mode);
    expect(await readTokens(file)).toMatchObject({ isReadableByOthers });
  }
});

test('`openssl rand` gives what is taken: 20,000 tokens of 128 bits', async () => {
  const { randomBytes } = await import('node:crypto');
  const few = Array.from({ length: 20_000 }, () => randomBytes(16).toString('hex')).filter((token) => new Set(token).size < 8);
  expect(few).toEqual([]);
});
