import { afterEach, expect, test } from 'vitest';
import { startWebScene, type WebScene } from '../../../test/harness/web-scene.ts';
import { DescribedCalls } from './described-calls.cases.ts';

let scene: WebScene | undefined;
afterEach(() => scene?.close());

const AT = '/api/v1/releases/default/web';

/** What the event stream tells, until there is one of each name; `onFirst`: it tells from here on. */
async function eventsUntil(
  api: string,
  names: readonly string[],
  onFirst: () => void = () => undefined,
): Promise<readonly (readonly [name: string, data: string])[]> {
  const stop = new AbortController();
  const response = await fetch(`${api}/api/v1/events`, { signal: stop.signal });
  const found: [string, string][] = [];
  let text = '';
  const decoder = new TextDecoder();
  for await (const part of response.body ?? []) {
    text += decoder.decode(part, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const [, name = '', data = ''] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? [];
      if (name !== '' && found.push([name, data]) === 1) onFirst();
    }
    if (names.every((name) => found.some(([each]) => each === name))) break;
  }
  stop.abort();
  return found;
}

test.each([
  ['visitors', {}],
  ['requests', { affinity: { mode: 'canaryOnly' } }],
])('what a running runtime answers, with traffic counted in %s, is as described', async (counts, spec) => {
  const running = await startWebScene(7, spec);
  scene = running;
  const calls = new DescribedCalls(running.api);
  const visit = async (): Promise<void> => {
    const page = { accept: 'text/html' };
    const first = await fetch(`http://127.0.0.1:${running.ingressPort}/`, { headers: page });
    const cookie = first.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    await fetch(`http://127.0.0.1:${running.ingressPort}/`, { headers: { ...page, cookie } });
  };
  for (let visitor = 0; visitor < 20; visitor++) await visit();
  await expect.poll(async () => ((await calls.call('GET', AT)) as { exposure?: object }).exposure).toMatchObject({ counts });
  await calls.call('GET', '/api/v1/releases');
  await calls.call('GET', '/api/v1/objects');
  await calls.call('GET', '/api/v1/objects?view=base');
  for (const action of ['promote', 'pause', 'resume', 'rollback', 'retry']) await calls.call('GET', `${AT}/forecast?action=${action}`);
  for (const what of ['history', 'findings', 'timeline', 'routes', 'visitors/6f1c1d3b-0f0e-4a7c-9a5b-8d2e4f607182']) {
    await calls.call('GET', `${AT}/${what}`);
  }
  for (const [name, data] of await eventsUntil(running.api, ['release'])) calls.event(name, data);
  await calls.call('POST', `${AT}/requests`, { action: 'resume', by: 'me' });
  await calls.call('POST', `${AT}/requests?wait=20000`, { action: 'pause', by: 'me' });
  await calls.call('POST', `${AT}/requests?wait=20000`, { action: 'rollback', by: 'me' });
  await calls.call('GET', AT);
  await calls.call('POST', `${AT}/requests?wait=20000`, { action: 'retry', by: 'me' });
  await calls.call('GET', AT);
  await calls.call('GET', `${AT}/history`);
  const { promise: isTold, resolve: onFirst } = Promise.withResolvers<void>();
  const told = eventsUntil(running.api, ['release', 'deleted'], onFirst);
  await isTold;
  await calls.call('DELETE', `${AT}?by=me`);
  for (const [name, data] of await told) calls.event(name, data);
  await calls.call('GET', AT);
  await calls.call('GET', '/metrics');
});
