import { mkdtempSync, rmSync } from 'node:fs';
import type { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import type { ReleaseStatus, RequestAction } from '../../src/core/release/status.ts';
import { bucketOf } from '../../src/core/visitor/bucket.ts';
import type { PerchProcess } from '../harness/perch-process.ts';
import { seededRandom } from '../harness/seeded-random.ts';
import { type Serving, startServing } from '../harness/serving.ts';
import { connections, inParallel, Visitor } from '../harness/visitor.ts';
import { assertRecord, type Sight } from './release-record.ts';
import { type Shop, startShop } from './shop.ts';

// A release that is rolled back, retried and finished, while its runtime is killed again and again: at step changes, in holds, right
// after a request was accepted, while it starts. The services and the visitors outlive it.

const KILLS = 20;
const VISITORS = 200;
const random = seededRandom(20260801);

let shop: Shop;
let agent: Agent;
let running: PerchProcess | undefined;
const visitors: Visitor[] = [];
/** What each visitor saw last. */
const lastSeen = new Map<Visitor, string>();
const sights: Sight[] = [];
/** Routes as they were served, by what they are for; the same in each life. */
const routesOf = new Map<string, string>();
/** The cutoff that was last confirmed: what visitors may still get while the next one is not. */
let confirmedCutoff = 0;
let exactRounds = 0;

beforeAll(async () => {
  shop = await startShop(await holdMs());
  agent = connections();
});

/** As long as two or three lives, however slow this machine is at the moment. */
async function holdMs(): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), 'perch-kill-first-'));
  const began = performance.now();
  await (await startServing(['--data', dir])).process.stop('SIGKILL');
  rmSync(dir, { recursive: true });
  return Math.max(2500, Math.ceil(3 * (performance.now() - began)));
}

afterAll(async () => {
  await running?.stop('SIGKILL');
  agent.destroy();
  await shop.close();
});

/** A runtime on the same data and files as the ones before, on other ports. */
async function serve(): Promise<Serving> {
  const served = await startServing(['--data', shop.data, '-f', shop.files], (process) => {
    running = process;
  });
  shop.meshPort = Number(new URL(served.mesh).port);
  return served;
}

async function look(server: string): Promise<ReleaseStatus | undefined> {
  const answer = await fetch(`${server}/api/v1/releases/default/reviews`);
  const { status } = (await answer.json()) as { readonly status?: ReleaseStatus };
  if (status !== undefined) sights.push({ seenAt: Date.now(), status });
  return status;
}

/** Looks until the release is as wanted; every look goes on record. */
async function lookUntil(server: string, wanted: (status: ReleaseStatus) => boolean): Promise<ReleaseStatus> {
  for (const deadline = Date.now() + 15_000; Date.now() < deadline; await sleep(10)) {
    const status = await look(server);
    if (status !== undefined && wanted(status)) return status;
  }
  throw new Error(`still ${JSON.stringify(sights.at(-1))}`);
}

const SETTLED = ['Succeeded', 'RolledBack'];

function isConfirmed({ phase, stepStartedAt }: ReleaseStatus): boolean {
  return SETTLED.includes(phase) || stepStartedAt !== undefined;
}

/** The cutoffs that a visitor may meet while the release is in this status. */
function cutoffsOf(status: ReleaseStatus): readonly number[] {
  // Before the first start there is none: everyone is on stable.
  const { cutoff = 0 } = status;
  if (!isConfirmed(status)) return [confirmedCutoff, cutoff];
  confirmedCutoff = cutoff;
  return [cutoff];
}

async function objectsServed(server: string): Promise<string> {
  const answer = await fetch(`${server}/api/v1/objects?kind=VirtualService&view=served`);
  const { items } = (await answer.json()) as { readonly items: readonly KubeObject[] };
  return JSON.stringify(items.map(({ metadata, spec }) => [metadata.name, spec]));
}

/** Status and routes are written as one: routes are those of the status, whole, in every life, and never the base. */
async function assertRoutes(server: string): Promise<void> {
  const before = await look(server);
  const routes = await objectsServed(server);
  const after = await look(server);
  expect(JSON.parse(routes)).toHaveLength(2);
  for (const [name, spec] of JSON.parse(routes)) expect(JSON.stringify(spec), `${name} is its base`).toContain('perch:default/reviews:');
  if (before === undefined || after === undefined || before.cutoff !== after.cutoff || before.phase !== after.phase) return;
  const { phase, cutoff, offset, liveVersion } = after;
  const isSettled = SETTLED.includes(phase) || phase === 'Completing';
  const what = isSettled ? `settled at ${JSON.stringify(liveVersion)}` : `cutoff ${cutoff} at ${offset}`;
  expect(routes, what).toBe(routesOf.get(what) ?? routes);
  routesOf.set(what, routes);
}

/** Everyone comes by, and newcomers; each is where arithmetic puts them, and nobody goes back but after a rollback. */
async function round({ ingress, server }: Serving): Promise<void> {
  visitors.push(...Array.from({ length: visitors.length === 0 ? VISITORS : 5 }, () => new Visitor(agent, 0)));
  const port = Number(new URL(ingress).port);
  for (const visitor of visitors) visitor.port = port;
  const before = await lookUntil(server, ({ phase }) => phase !== 'Pending');
  const cutoffs = new Set(cutoffsOf(before));
  const answers = await inParallel(visitors, 16, async (visitor) => ({ visitor, answer: await visitor.visit('/') }));
  const after = await lookUntil(server, () => true);
  for (const cutoff of cutoffsOf(after)) cutoffs.add(cutoff);
  if (cutoffs.size === 1) exactRounds++;

  const mayGoBack = before.rollback !== undefined || after.rollback !== undefined || before.startedAt !== after.startedAt;
  const wrong = answers.flatMap(({ visitor, answer: { status, body } }) => {
    const id = visitor.cookies.get('perch') ?? '';
    const bucket = bucketOf(id, after.offset ?? 0);
    const allowed: readonly string[] = bucket === undefined ? [] : [...cutoffs].map((cutoff) => (bucket < cutoff ? 'v2' : 'v1'));
    const isBack = lastSeen.get(visitor) === 'v2' && body === 'v1' && !mayGoBack;
    lastSeen.set(visitor, body);
    return status === 200 && allowed.includes(body) && !isBack ? [] : [{ id, bucket, status, body, allowed, isBack }];
  });
  expect(wrong, JSON.stringify([...cutoffs])).toEqual([]);
}

/** Asks, and gives back the id once the runtime has promised to do it. */
async function ask(server: string, action: RequestAction): Promise<string> {
  const id = `${action}-${sights.length}`;
  const answer = await fetch(`${server}/api/v1/releases/default/reviews/requests`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ action, by: 'test', id }),
  });
  expect(answer.status).toBe(202);
  return id;
}

/** Keeps looking until the moment of the kill: what happens just before it is on record. */
async function kill(server: string, afterMs: number): Promise<void> {
  const at = performance.now() + afterMs;
  while (performance.now() < at) {
    await look(server);
    await sleep(Math.min(15, Math.max(0, at - performance.now())));
  }
  await running?.stop('SIGKILL');
}

/** Kills one that is only starting. */
async function killStarting(afterMs: number): Promise<void> {
  const starting = startServing(['--data', shop.data, '-f', shop.files], (process) => {
    running = process;
  });
  await Promise.race([starting.catch(() => {}), sleep(afterMs)]);
  await running?.stop('SIGKILL');
  await starting.catch(() => {});
}

/** What to ask of the release in this life, so that it is rolled back once from 50 %, and then goes all the way. */
function wishFor({ phase, started }: ReleaseStatus, killsHere: number, killsLeft: number): RequestAction | undefined {
  if (phase === 'RolledBack') return killsHere >= 2 ? 'retry' : undefined;
  if (phase !== 'Paused') return undefined;
  if (started === 1) return killsHere >= 2 ? 'rollback' : undefined;
  return killsLeft <= 6 ? 'promote' : undefined;
}

/** When to kill, in ms from now: around the end of the hold in every other life and where it is near, else at any moment. */
function momentOf({ holdUntil }: ReleaseStatus, life: number): number {
  if (holdUntil === undefined) return random() * 300;
  const left = Date.parse(holdUntil) - Date.now();
  return left < 1200 || life % 2 === 1 ? Math.max(0, left - 10 + random() * 50) : random() * 300;
}

test(`${KILLS} times kill -9 in the life of a release: every visitor and every step where they were`, { timeout: 480_000 }, async () => {
  const kills = { start: 0, hold: 0, request: 0 };
  let waiting: string | undefined;
  let place = '';
  let killsHere = 0;
  for (let life = 0; ; life++) {
    const served = await serve();
    // The same files are no change, and nothing is woven out and in again.
    if (life > 0) expect(served.process.stdout).not.toMatch(/created|configured|pruned/);
    await lookUntil(served.server, ({ phase }) => phase !== 'Pending');
    await assertRoutes(served.server);
    const promised = waiting;
    // What was accepted before the kill is done after it, once.
    if (promised !== undefined) await lookUntil(served.server, ({ lastRequest }) => lastRequest?.id === promised);
    waiting = undefined;
    await round(served);
    await assertRoutes(served.server);

    const status = await lookUntil(served.server, () => true);
    assertRecord(sights, shop.steps);
    const total = kills.start + kills.hold + kills.request;
    if (status.phase === 'Succeeded' && total >= KILLS) break;
    const here = `${status.started} ${status.phase} ${status.step}`;
    killsHere = here === place ? killsHere + 1 : 0;
    place = here;
    const wish = wishFor(status, killsHere, KILLS - total);
    if (wish !== undefined) {
      waiting = await ask(served.server, wish);
      await kill(served.server, random() * 20);
      kills.request++;
    } else {
      await kill(served.server, momentOf(status, life));
      kills.hold++;
    }
    if (life % 4 === 3) {
      await killStarting(random() * 800);
      kills.start++;
    }
  }

  const attempts = [1, 2].map((started) => sights.filter(({ status }) => status.started === started).map(({ status }) => status));
  expect(attempts.map((seen) => [...new Set(seen.map(({ step }) => step))].filter((step) => step >= 0))).toEqual([
    [0, 1, 2],
    [0, 1, 2, 3, 4],
  ]);
  expect(sights.at(-1)?.status.history.map(({ outcome }) => outcome)).toEqual(['Succeeded', 'RolledBack']);
  expect([...routesOf.keys()].length, 'ways to route: every step, stable, canary').toBeGreaterThanOrEqual(shop.steps.length + 2);
  expect(new Set(routesOf.values()).size).toBe(routesOf.size);
  expect(exactRounds).toBeGreaterThan(KILLS / 2);
  expect(kills.request).toBe(3);
  expect(new Set(lastSeen.values())).toEqual(new Set(['v2']));
});
