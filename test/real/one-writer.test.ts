import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { estate, releaseNameOf } from '../../bench/many/estate.ts';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import { KIND } from '../../src/core/release/canary-release.ts';
import type { PerchProcess } from '../harness/perch-process.ts';
import { describeWithKubernetes } from '../requirements.ts';
import { type AuditedWrite, auditedWrites } from './audit-log.ts';
import { type CutLine, startCutLine } from './cut-line.ts';
import { type IstioCluster, startIstioCluster } from './istio-cluster.ts';
import { startController } from './start-controller.ts';
import { stepsWithin } from './steps-within.ts';
import { cameTooLate, lateWrites, termsOf, writesOutOfTerm } from './writing-terms.ts';

const RELEASES = 12;
const HOLD_MS = 6000;
/** client-go's, in ms: who takes over has not seen the Lease change for so long, */
const LEASE_MS = 15_000;
/** and looks every two seconds; a busy machine takes its time. */
const TAKEOVER_MS = LEASE_MS + 2 * 2000 + 4000;

/** A controller, and its way to the apiserver. */
class Contestant {
  readonly process: PerchProcess;
  readonly line: CutLine;

  constructor(kubeconfig: string, line: CutLine) {
    this.line = line;
    this.process = startController(kubeconfig);
  }

  get leads(): boolean {
    return this.process.stderr.lastIndexOf('leads:') > this.process.stderr.lastIndexOf('follows:');
  }

  async end(): Promise<void> {
    this.process.signal('SIGCONT');
    await this.process.stop('SIGKILL');
    await this.line.close();
  }
}

/** Releases on steps of a few seconds, so that something is written all the time; the audit log of the apiserver says by whom. */
describeWithKubernetes('of two controllers one writes at a time, by the audit log of a real kube-apiserver', (parts) => {
  let cluster: IstioCluster;
  let folder: string;
  const contestants = new Set<Contestant>();

  const start = async (): Promise<Contestant> => {
    const line = await startCutLine(cluster.port);
    const kubeconfig = join(folder, `kubeconfig-${line.port}`);
    writeFileSync(kubeconfig, readFileSync(cluster.controllerKubeconfig, 'utf8').replace(`:${cluster.port}`, `:${line.port}`));
    const contestant = new Contestant(kubeconfig, line);
    contestants.add(contestant);
    await contestant.process.until(/knows what the cluster holds/, 60_000);
    return contestant;
  };
  const end = async (contestant: Contestant): Promise<void> => {
    contestants.delete(contestant);
    await contestant.end();
  };
  const writes = (): readonly AuditedWrite[] => auditedWrites(cluster.auditLog);
  const leader = async (): Promise<Contestant> => {
    await expect.poll(() => [...contestants].filter(({ leads }) => leads).length, { timeout: 60_000 }).toBe(1);
    return [...contestants].find(({ leads }) => leads) ?? expect.fail('nobody leads');
  };
  /** Waits until each release was written by who leads now. */
  const goesOn = async (): Promise<void> => {
    const { from } = termsOf(writes()).at(-1) ?? expect.fail('nobody leads');
    const written = () =>
      new Set(
        writes()
          .filter(({ resource, revision }) => resource === 'canaryreleases/status' && revision > from)
          .map(({ name }) => name),
      );
    await expect.poll(() => written().size, { timeout: 60_000, interval: 200 }).toBe(RELEASES);
  };
  /** Whoever leads next has waited for the Lease to end, and no longer. */
  const takesOver = async (): Promise<void> => {
    const before = termsOf(writes()).length;
    await expect.poll(() => termsOf(writes()).length, { timeout: 60_000, interval: 200 }).toBe(before + 1);
    await goesOn();
    const [former, next] = termsOf(writes()).slice(-2);
    const waited = (next?.takenAt ?? 0) - (former?.renewedAt ?? 0);
    expect(waited).toBeGreaterThanOrEqual(LEASE_MS);
    expect(waited).toBeLessThan(TAKEOVER_MS);
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'perch-writers-'));
    cluster = await startIstioCluster(parts, { isAudited: true });
    const steps = Array.from({ length: 40 }, (_, index) => ({ weight: 2.5 * (index + 1), hold: `${HOLD_MS / 1000}s` }));
    const objects = estate(RELEASES, 80, undefined);
    await cluster.apply(
      ...objects.map((each) => (each.kind === KIND ? ({ ...each, spec: { ...(each.spec as object), steps } } as KubeObject) : each)),
    );
    await start();
    await start();
  });
  afterAll(async () => {
    for (const each of contestants) await end(each);
    await cluster?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('killed: the other one takes over once the Lease has ended', async () => {
    const first = await leader();
    await goesOn();
    await end(first);
    await takesOver();
    await start();
    expect([writesOutOfTerm(writes()), lateWrites(writes())]).toEqual([[], []]);
  });

  it('stopped for a minute in the middle of its work: it does not write once when it goes on', async () => {
    const first = await leader();
    first.process.signal('SIGSTOP');
    const stoppedAt = performance.now();
    await takesOver();
    await sleep(60_000 - (performance.now() - stoppedAt));
    first.process.signal('SIGCONT');
    await first.process.until(/follows:/);
    await goesOn();
    await sleep(5000);
    expect([writesOutOfTerm(writes()), lateWrites(writes())]).toEqual([[], []]);
  });

  it('cut off for half a minute: what it was sending is broken off before another one leads, and never arrives', async () => {
    const first = await leader();
    first.line.hold();
    await takesOver();
    expect(first.leads).toBe(false);
    await sleep(8000);
    // As behind a firewall that dropped what came: connections from before are dead.
    first.line.cut();
    first.line.letGo();
    await goesOn();
    await sleep(5000);
    expect([writesOutOfTerm(writes()), lateWrites(writes())]).toEqual([[], []]);
  });

  it('what something on the way kept, and hands on once another one leads, is refused, but for an Event or two', async () => {
    const first = await leader();
    first.line.hold();
    await takesOver();
    first.line.letGo();
    await goesOn();
    await sleep(5000);
    const late = lateWrites(writes());
    // As many as it writes at the same time.
    expect(late.length).toBeLessThanOrEqual(18);
    // 409: it is another version by now. 504: the apiserver gave it up, because its connection was reset when the lead ended.
    const isRefused = (write: AuditedWrite) => write.code === 409 || (write.code === 504 && cameTooLate(write, writes()));
    expect(late.filter((write) => write.resource !== 'events' && !isRefused(write))).toEqual([]);
    expect(writesOutOfTerm(writes()).filter(({ resource }) => resource !== 'events')).toEqual([]);
  });

  it('through all of it no step was left out, done twice or cut short, and no Event was told twice', () => {
    const events = writes().filter(({ resource, code }) => resource === 'events' && code < 300);
    const notes = events.map(
      ({ object }) =>
        object as KubeObject & { readonly reason: string; readonly note: string; readonly regarding: { readonly name: string } },
    );
    const told = notes
      .map(({ reason, note, regarding }) => `${regarding.name} ${reason} ${note}`)
      .filter((each) => each.includes('StepStarted'));
    expect([told.length > RELEASES, told.filter((each, index) => told.indexOf(each) !== index)]).toEqual([true, []]);
    for (let index = 0; index < RELEASES; index++) {
      expect(stepsWithin(writes(), releaseNameOf(index), HOLD_MS)).toBeGreaterThan(10);
    }
  });
});
