import type { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import { MAX_EVENTS, type RecordedEvent } from '../../src/core/release/release-event.ts';
import type { ReleaseStatus, RequestAction } from '../../src/core/release/status.ts';
import { bucketOf, cutoffOf } from '../../src/core/visitor/bucket.ts';
import type { HistoryView } from '../../src/server/release-resource.ts';
import type { PerchProcess } from '../harness/perch-process.ts';
import { type Serving, startServing } from '../harness/serving.ts';
import { connections, inParallel, type Visit, Visitor } from '../harness/visitor.ts';
import { assertRecord, type Sight } from './release-record.ts';
import { type Form, type Mode, type Shop, startShop } from './shop.ts';
import { storedState } from './stored-state.ts';

const VISITORS = 200;
/** So many come by at once, while a runtime is killed. */
const CROWD = 24;

const SETTLED: readonly string[] = ['Succeeded', 'RolledBack'];
/** Everyone is to be at the live version, served already or not. */
const DECIDED: readonly string[] = [...SETTLED, 'Pending', 'Completing', 'RollingBack', 'Superseded'];

/** A release and its visitors, over all the lives of its runtime. Services and visitors outlive it. */
export class Story {
  readonly sights: Sight[] = [];
  /** Routes as they were served, by what they are for; the same in each life. */
  readonly routesOf = new Map<string, string>();
  /** Rounds in which there was only one place where each visitor could be. */
  exactRounds = 0;
  /** Answers that visitors got while a runtime was about to be killed. */
  crowdAnswers = 0;
  /** What each visitor saw last. */
  readonly lastSeen = new Map<Visitor, string>();

  readonly shop: Shop;
  readonly #agent: Agent = connections();
  readonly #visitors: Visitor[] = [];
  #running: PerchProcess | undefined;
  #serving: Serving | undefined;
  /** The cutoff that was last confirmed: what visitors may still get while the next one is not. */
  #confirmedCutoff = 0;
  /** A request that was accepted, and not yet seen done. */
  #promised: string | undefined;
  #mayGoBack = false;
  /** The note on the routes of `shop` that was applied last, and the one that may or may not have been. */
  #note: string | undefined;
  #maybeNote: string | undefined;
  #isRemoved = false;
  /** What the spec asks for since it was changed under way, and the release that is to come of it. */
  #revision: number | undefined;
  #awaited = 0;
  /** How the release comes to its routes now. */
  #form: Form;
  #life = 0;

  static async begin(holdMs: number, form: Form, mode: Mode): Promise<Story> {
    return new Story(await startShop(holdMs, form, mode));
  }

  private constructor(shop: Shop) {
    this.shop = shop;
    this.#form = shop.form;
  }

  async close(): Promise<void> {
    await this.#running?.stop('SIGKILL');
    this.#agent.destroy();
    await this.shop.close();
  }

  /** Starts the next runtime on the same data and files, and holds it to what was promised before; gives where the release stands. */
  async live(): Promise<ReleaseStatus> {
    this.#serving = await startServing(['--data', this.shop.data, '-f', this.shop.files], (process) => {
      this.#running = process;
    });
    this.shop.meshPort = Number(new URL(this.#serving.mesh).port);
    // The same files are no change, and nothing is woven out and in again.
    if (this.#life++ > 0) expect(this.#serving.process.stdout).not.toMatch(/created|configured|pruned/);
    await this.#lookUntil(({ phase }) => phase !== 'Pending');
    await this.#assertRoutes();
    const promised = this.#promised;
    if (promised !== undefined) await this.#lookUntil(({ lastRequest }) => lastRequest?.id === promised);
    this.#promised = undefined;
    if (this.#awaited > 0) await this.#lookUntil(({ started, stepStartedAt }) => started >= this.#awaited && stepStartedAt !== undefined);
    this.#awaited = 0;
    await this.#round();
    await this.#assertRoutes();
    assertRecord(this.sights, this.shop.steps);
    return await this.#lookUntil(() => true);
  }

  /** Asks, and comes back once the runtime has promised to do it. */
  async ask(action: RequestAction, full = false): Promise<void> {
    const id = `${action}-${this.sights.length}`;
    await this.#call('POST', '/api/v1/releases/default/reviews/requests', { action, ...(full ? { full } : {}), by: 'test', id }, 202);
    this.#promised = id;
    this.#mayGoBack ||= action === 'rollback' || action === 'retry';
  }

  /** Asks for another release in the middle of this one; comes back once the runtime has promised to do it. */
  async supersede(revision: number): Promise<void> {
    const { started } = await this.#lookUntil(() => true);
    const answer = await fetch(`${this.#server}/api/v1/objects/CanaryRelease/default/reviews?view=base`);
    const { apiVersion, kind, spec } = (await answer.json()) as KubeObject;
    const release = { apiVersion, kind, metadata: { name: 'reviews' }, spec: { ...(spec as object), revision } };
    this.#mayGoBack = true;
    await this.#call('PUT', '/api/v1/releases/default/reviews', release, 200);
    this.#revision = revision;
    this.#awaited = started + 1;
  }

  /** Applies another note on the routes of `shop`, without waiting for the answer. */
  change(): void {
    const note = `note ${this.sights.length}`;
    this.#maybeNote = note;
    void this.#applyNote(note).catch(() => {});
  }

  async #applyNote(note: string): Promise<void> {
    const shop = (await this.#virtualServices('base')).find(({ metadata }) => metadata.name === 'shop');
    if (shop === undefined) throw new Error('no routes of shop');
    const { creationTimestamp: _, ...metadata } = shop.metadata as typeof shop.metadata & { readonly creationTimestamp?: string };
    const object = { ...shop, metadata: { ...metadata, annotations: { note } } };
    await this.#call('PUT', '/api/v1/objects', { objects: [object] }, 200);
    this.#note = note;
  }

  /** Lets the release own the VirtualService that it adopted, between releases; comes back once the runtime has promised to do it. */
  async own(): Promise<void> {
    const answer = await fetch(`${this.#server}/api/v1/objects/CanaryRelease/default/reviews?view=base`);
    const { apiVersion, kind, spec } = (await answer.json()) as KubeObject;
    const reviews = (await this.#virtualServices('base')).find(({ metadata }) => metadata.name === 'reviews');
    const managed = { name: 'reviews', ...(reviews?.spec as object) };
    const release = { apiVersion, kind, metadata: { name: 'reviews' }, spec: { ...(spec as object), route: { managed } } };
    await this.#call('PUT', '/api/v1/releases/default/reviews', release, 200);
    this.#form = 'managed';
  }

  /** Deletes the release, and comes back once the runtime has promised to do it. Its file has to be gone. */
  async remove(): Promise<void> {
    await this.#call('DELETE', '/api/v1/releases/default/reviews', undefined, 202);
    this.#isRemoved = true;
  }

  /** What the runtime remembers of the release, oldest first. */
  async history(): Promise<readonly RecordedEvent[]> {
    const answer = await fetch(`${this.#server}/api/v1/releases/default/reviews/history?limit=${MAX_EVENTS}`);
    return ((await answer.json()) as HistoryView).items.toReversed();
  }

  /** Starts the next runtime after `remove`: the release leaves, everybody stays. */
  async liveOn(): Promise<void> {
    this.#serving = await startServing(['--data', this.shop.data, '-f', this.shop.files], (process) => {
      this.#running = process;
    });
    this.shop.meshPort = Number(new URL(this.#serving.mesh).port);
    await this.#assertEverybodyOn('v2');
    const { server } = this.#serving;
    for (const deadline = Date.now() + 15_000; (await fetch(`${server}/api/v1/releases/default/reviews`)).status !== 404; await sleep(20)) {
      if (Date.now() > deadline) throw new Error('the release is still there');
    }
    const served = await this.#virtualServices('served');
    expect(JSON.stringify(served)).not.toContain('perch:default/reviews:');
    expect(served).toEqual(await this.#virtualServices('base'));
    await expect.poll(() => this.#virtualServices('served').then((items) => items.length)).toBe(this.shop.routes.length);
    await this.#assertEverybodyOn('v2');
  }

  /** Kills the runtime after so many ms. Visitors come by until then, and it is looked at: what happens just before is on record. */
  async kill(afterMs: number): Promise<void> {
    const at = performance.now() + afterMs;
    let isOver = false;
    const crowd = inParallel(this.#visitors.slice(0, CROWD), CROWD, async (visitor) => {
      while (!isOver) {
        const answer = await visitor.visit('/').catch(() => undefined);
        if (answer !== undefined) this.#assertNotBack(visitor, answer);
        else await sleep(1);
      }
    });
    while (performance.now() < at) {
      if (!this.#isRemoved) await this.#look();
      await sleep(Math.min(15, Math.max(0, at - performance.now())));
    }
    await this.#running?.stop('SIGKILL');
    isOver = true;
    await crowd;
    await this.#assertStored();
  }

  /** Kills a runtime that is only starting. */
  async killStarting(afterMs: number): Promise<void> {
    const starting = startServing(['--data', this.shop.data, '-f', this.shop.files], (process) => {
      this.#running = process;
    });
    await Promise.race([starting.catch(() => {}), sleep(afterMs)]);
    await this.#running?.stop('SIGKILL');
    await starting.catch(() => {});
    await this.#assertStored();
  }

  get #server(): string {
    return this.#serving?.server ?? '';
  }

  async #call(method: string, path: string, body: unknown, status: number): Promise<void> {
    const init = body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const answer = await fetch(`${this.#server}${path}`, { method, ...init });
    expect(answer.status, await answer.text()).toBe(status);
  }

  async #look(): Promise<ReleaseStatus | undefined> {
    const answer = await fetch(`${this.#server}/api/v1/releases/default/reviews`);
    const { status } = (await answer.json()) as { readonly status?: ReleaseStatus };
    if (status !== undefined) this.sights.push({ seenAt: Date.now(), status });
    return status;
  }

  /** Looks until the release is as wanted; every look goes on record. */
  async #lookUntil(wanted: (status: ReleaseStatus) => boolean): Promise<ReleaseStatus> {
    for (const deadline = Date.now() + 15_000; Date.now() < deadline; await sleep(10)) {
      const status = await this.#look();
      if (status !== undefined && wanted(status)) return status;
    }
    throw new Error(`still ${JSON.stringify(this.sights.at(-1))}`);
  }

  async #virtualServices(view: 'base' | 'served'): Promise<readonly KubeObject[]> {
    const answer = await fetch(`${this.#server}/api/v1/objects?kind=VirtualService&view=${view}`);
    return ((await answer.json()) as { readonly items: readonly KubeObject[] }).items;
  }

  /** The cutoffs that a visitor may meet while the release is in this status. */
  #cutoffsOf({ phase, stepStartedAt, weight }: ReleaseStatus): readonly number[] {
    const cutoff = cutoffOf(weight);
    if (!SETTLED.includes(phase) && stepStartedAt === undefined) return [this.#confirmedCutoff, cutoff];
    this.#confirmedCutoff = cutoff;
    return [cutoff];
  }

  /** Status and routes are written as one: routes are those of the status, whole, in every life, and never the base. */
  #assertRoutesOf({ phase, weight, offset, canaryCookie, liveVersion }: ReleaseStatus, objects: readonly KubeObject[]): void {
    expect(objects.map(({ metadata }) => metadata.name).toSorted()).toEqual(this.shop.routes.toSorted());
    for (const { metadata, spec } of objects) {
      const woven = this.shop.woven.includes(metadata.name);
      expect(JSON.stringify(spec).includes('perch:default/reviews:'), `${metadata.name} is ${woven ? 'its base' : 'woven'}`).toBe(woven);
    }
    const routes = JSON.stringify(objects.map(({ metadata, spec }) => [metadata.name, spec]));
    const what = DECIDED.includes(phase)
      ? `settled at ${JSON.stringify(liveVersion)} without ${canaryCookie?.value}`
      : `${weight} % by ${offset ?? canaryCookie?.value}`;
    expect(routes, what).toBe(this.routesOf.get(what) ?? routes);
    this.routesOf.set(what, routes);
  }

  async #assertRoutes(): Promise<void> {
    const before = await this.#look();
    const routes = await this.#virtualServices('served');
    const after = await this.#look();
    if (before === undefined || after === undefined) return;
    if (before.weight === after.weight && before.phase === after.phase) this.#assertRoutesOf(after, routes);
    const { annotations } = routes.find(({ metadata }) => metadata.name === 'shop')?.metadata ?? {};
    const notes = [this.#note, ...(this.#maybeNote === undefined ? [] : [this.#maybeNote])];
    expect(notes).toContain(annotations?.['note']);
    this.#note = annotations?.['note'];
    this.#maybeNote = undefined;
  }

  /** What the dead one has left: all of an apply or nothing, the routes of the status, and nothing that the next life does not know. */
  async #assertStored(): Promise<void> {
    const objects = await storedState(this.shop.data);
    const release = objects.find(({ ref }) => ref.kind === 'CanaryRelease');
    const routes = objects.flatMap(({ ref, served }) => (ref.kind === 'VirtualService' ? [served] : []));
    if (this.#isRemoved) {
      if (release === undefined) expect(JSON.stringify(routes)).not.toContain('perch:default/reviews:');
      return;
    }
    if (objects.length === 0) {
      expect(this.sights, 'everything is gone').toEqual([]);
      return;
    }
    expect(release, 'half of an apply').toBeDefined();
    if (this.#promised !== undefined) {
      expect([release?.request?.id, release?.status?.lastRequest?.id], 'a promise is forgotten').toContain(this.#promised);
    }
    expect(release?.base.spec).toHaveProperty(['route', this.#form]);
    expect((release?.base.spec as { readonly revision?: number } | undefined)?.revision, 'an edit is forgotten').toBe(this.#revision);
    if (release?.status === undefined) return;
    this.sights.push({ seenAt: Date.now(), status: release.status });
    if (release.status.phase !== 'Pending' || release.status.started > 0) this.#assertRoutesOf(release.status, routes);
  }

  #assertNotBack(visitor: Visitor, { status, body }: Visit): void {
    const isBack = this.lastSeen.get(visitor) === 'v2' && body === 'v1' && !this.#mayGoBack;
    expect([status, ['v1', 'v2'].includes(body), isBack], body).toEqual([200, true, false]);
    this.lastSeen.set(visitor, body);
    this.crowdAnswers++;
  }

  /** Everyone comes by. */
  async #visits(): Promise<readonly { readonly visitor: Visitor; readonly answer: Visit }[]> {
    const port = Number(new URL(this.#serving?.ingress ?? '').port);
    for (const visitor of this.#visitors) visitor.port = port;
    return await inParallel(this.#visitors, 16, async (visitor) => ({ visitor, answer: await visitor.visit('/') }));
  }

  /** Where a visitor can be at a cutoff. Where each request is drawn, at either but at the ends: `isBack` tells of who has been on v2. */
  #versionsAt(cutoff: number, bucket: number | undefined): readonly string[] {
    if (this.shop.mode === 'canaryOnly') return [...(cutoff > 0 ? ['v2'] : []), ...(cutoff < cutoffOf(100) ? ['v1'] : [])];
    if (bucket === undefined) return [];
    return [bucket < cutoff ? 'v2' : 'v1'];
  }

  /** Everyone comes by, and newcomers; each is where arithmetic puts them, and nobody goes back but after a rollback. */
  async #round(): Promise<void> {
    const newcomers = this.#visitors.length === 0 ? VISITORS : 5;
    this.#visitors.push(...Array.from({ length: newcomers }, () => new Visitor(this.#agent, 0)));
    const before = await this.#lookUntil(({ phase }) => phase !== 'Pending');
    const cutoffs = new Set(this.#cutoffsOf(before));
    const answers = await this.#visits();
    const after = await this.#lookUntil(() => true);
    for (const cutoff of this.#cutoffsOf(after)) cutoffs.add(cutoff);
    if (cutoffs.size === 1) this.exactRounds++;

    const mayGoBack =
      this.#mayGoBack || before.rollback !== undefined || after.rollback !== undefined || before.startedAt !== after.startedAt;
    const wrong = answers.flatMap(({ visitor, answer: { status, body } }) => {
      const id = visitor.cookies.get('perch') ?? '';
      const bucket = after.offset === undefined ? undefined : bucketOf(id, after.offset);
      const allowed = [...cutoffs].flatMap((cutoff) => this.#versionsAt(cutoff, bucket));
      const isBack = this.lastSeen.get(visitor) === 'v2' && body === 'v1' && !mayGoBack;
      this.lastSeen.set(visitor, body);
      return status === 200 && allowed.includes(body) && !isBack ? [] : [{ id, bucket, status, body, allowed, isBack }];
    });
    expect(wrong, JSON.stringify([...cutoffs])).toEqual([]);
    // From here on everyone is where the release has them.
    this.#mayGoBack = after.phase === 'RollingBack' || after.phase === 'Superseded';
  }

  async #assertEverybodyOn(version: string): Promise<void> {
    const answers = await this.#visits();
    expect(new Set(answers.map(({ answer }) => `${answer.status} ${answer.body}`))).toEqual(new Set([`200 ${version}`]));
  }
}
