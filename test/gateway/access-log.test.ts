import { expect, test } from 'vitest';
import { liveThrough, SITUATIONS, STALL_MS, situationTable, startSituationOrigin } from './logged-situations.ts';
import { refusingPort } from './origins.ts';
import { exchange } from './raw-client.ts';
import { clusterAt, everythingTo } from './running-gateway.ts';
import { testScope } from './scope.ts';

const { start, own } = testScope();

test.each(SITUATIONS)('$name: $code $flags', async (situation) => {
  const origin = await own(startSituationOrigin());
  const { ingress, log } = await start(situationTable(origin.port, await refusingPort()), {
    limits: { requestHeadMs: STALL_MS, requestBodyStallMs: STALL_MS },
  });
  await liveThrough(situation, ingress);
  await expect.poll(() => log, { timeout: 10_000 }).toHaveLength(1);
  const { code, flags, details } = situation;
  expect(log).toMatchObject([{ response_code: code, response_flags: flags, response_code_details: details }]);
});

test('says nothing of cookies, credentials and other headers, and gives terminals nothing to obey', async () => {
  const origin = await own(startSituationOrigin());
  const lines: string[] = [];
  const { ingress, told } = await start(everythingTo(clusterAt(origin.port)), { accessLog: (line) => lines.push(line) });
  const secrets = 'Cookie: perch=secret-1\r\nAuthorization: Bearer secret-2\r\nProxy-Authorization: secret-3\r\nX-Api-Key: secret-4\r\n';
  await exchange(ingress, `GET /ok?q=shown HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nUser-Agent: a"\x9b31m\t\xe9\r\n${secrets}\r\n`);
  await told(1);
  const [line = ''] = lines;
  expect(line).not.toContain('secret');
  // Control characters of ASCII and latin1: none is left as it is.
  expect([...line].filter((each) => each < ' ' || (each >= '\x7f' && each <= '\x9f'))).toEqual([]);
  expect(JSON.parse(line)).toMatchObject({ path: '/ok?q=shown', user_agent: 'a"\x9b31m\t\xe9' });
});

test('a line is bounded, whatever a client sends', async () => {
  const origin = await own(startSituationOrigin());
  const lines: string[] = [];
  const { ingress, told } = await start(everythingTo(clusterAt(origin.port)), { accessLog: (line) => lines.push(line) });
  const long = 'x'.repeat(20_000);
  await exchange(ingress, `GET /ok?${long} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nUser-Agent: ${long}\r\n\r\n`);
  await told(1);
  const { path, user_agent } = JSON.parse(lines[0] ?? '') as { readonly path: string; readonly user_agent: string };
  expect([path.length, user_agent.length]).toEqual([4096, 4096]);
});
