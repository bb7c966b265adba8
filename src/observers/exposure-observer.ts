import type { ObjectRef, Store, StoredObject } from '../cluster/store.ts';
import type { Diagnostic } from '../core/diagnostics/diagnostic.ts';
import { edgeFindings } from '../core/evidence/edge-findings.ts';
import { EdgeTally } from '../core/evidence/edge-tally.ts';
import { Exposure, type ExposureSummary } from '../core/evidence/exposure.ts';
import { ExposureTimeline, FIRST_INTERVAL_MS } from '../core/evidence/exposure-timeline.ts';
import type { RequestEvent, RequestObserver } from '../core/evidence/request-event.ts';
import { type SipKey, sipKey } from '../core/evidence/sip-hash.ts';
import { isSynthetic } from '../core/evidence/synthetic-visitor.ts';
import { KIND } from '../core/release/canary-release.ts';
import type { TimelineSample, TimelineView } from '../core/view/timeline-view.ts';
import { isVisitorId } from '../core/visitor/bucket.ts';
import { visitorIdFromHeader } from '../core/visitor/visitor-id.ts';
import { servedRuleNames, type WovenRuleName } from '../core/weave/rule-name.ts';
import { type FollowedRelease, followRelease } from './followed-release.ts';

/** Where the releases are read, and how visitors are told apart without keeping their ids. */
interface ExposureObserverOptions {
  readonly store: Store;
  /** 16 random bytes, drawn at each start: ids are kept as hashes under it only. */
  readonly hashKey: Uint8Array;
  /** Milliseconds since the epoch; default: Date.now. */
  readonly now?: () => number;
  /** Told when the store cannot be read; the releases concerned stay as last known. */
  readonly onError?: (error: unknown) => void;
  /** Told what requests show to be wrong with a release's visitor ids, once in each of its runs; must not throw. */
  readonly onFinding?: (finding: Diagnostic) => void;
  /** Told when samples are added to the timeline of a release, the oldest first; must not throw. */
  readonly onSamples?: (namespace: string, name: string, samples: readonly TimelineSample[]) => void;
}

/** Measures who saw what, for every release of a store. */
export interface ExposureObserver {
  /** To be called with every request's event; never throws, and takes less than a microsecond (bench/reporting). */
  readonly observe: RequestObserver;
  /** Figures of this moment; undefined for a release that there is none of, or that has not begun. */
  summary(namespace: string, name: string): ExposureSummary | undefined;
  /** What was measured over time, since the release began or was known; undefined as with `summary`. */
  timeline(namespace: string, name: string): TimelineView | undefined;
  /** Adds what was measured of every release to its timeline; happens each second by itself. */
  sample(): void;
  /** Resolves once the releases that the store held at the start are followed. */
  readonly ready: Promise<void>;
  close(): void;
}

/** One release with its figures. */
interface Watched {
  readonly exposure: Exposure;
  /** Undefined until something came in at the edge. */
  edge: EdgeTally | undefined;
  /** Codes of the findings that were told. */
  readonly told: Set<string>;
  timeline: ExposureTimeline;
  release: FollowedRelease;
  since: string;
}

/** What a rule's name says of one release, read once. */
interface Binding {
  readonly rule: WovenRuleName;
  readonly watched: Watched;
}

/** More than all rules of one moment; names change with steps, so the cache must not grow for ever. */
const MAX_BINDINGS = 4_096;

/** Starts following the store's releases; events of a release count from the moment it is known. */
export function startExposureObserver(options: ExposureObserverOptions): ExposureObserver {
  const { store } = options;
  const now = options.now ?? Date.now;
  const onError = options.onError ?? (() => {});
  const onFinding = options.onFinding ?? (() => {});
  const onSamples = options.onSamples ?? (() => {});
  const key: SipKey = sipKey(options.hashKey);
  const releases = new Map<string, Watched>();
  const revisions = new Map<string, number>();
  const bindings = new Map<string, readonly Binding[]>();
  let closed = false;

  function follow(stored: StoredObject): void {
    const { namespace, name } = stored.ref;
    const id = `${namespace}/${name}`;
    // Reads may end in another order than they began.
    if (closed || stored.revision < (revisions.get(id) ?? 0)) return;
    revisions.set(id, stored.revision);
    const release = followRelease(stored);
    const before = releases.get(id);
    if (release === undefined || before === undefined) bindings.clear();
    if (release === undefined) {
      releases.delete(id);
      return;
    }
    const watched: Watched = before ?? {
      ...{ exposure: new Exposure(key), edge: undefined, told: new Set(), release, since: '' },
      timeline: new ExposureTimeline(release.counts, now()),
    };
    const anotherStep = before?.release.run !== release.run || before.release.step !== release.step;
    // The step's last figures, before they begin anew.
    if (anotherStep && before !== undefined) sampleOne(id, before);
    beginCounting(watched, release, before?.release);
    releases.set(id, watched);
    if (anotherStep) sampleOne(id, watched);
  }

  /** Begins anew what counts from a release, or from a step, on. */
  function beginCounting(watched: Watched, release: FollowedRelease, before: FollowedRelease | undefined): void {
    const anotherRun = before?.run !== release.run;
    const anotherStep = anotherRun || before?.step !== release.step;
    if (anotherRun) watched.timeline = new ExposureTimeline(release.counts, now());
    if (anotherRun) watched.exposure.startRelease();
    else if (anotherStep) watched.exposure.startStep();
    if (anotherRun) watched.told.clear();
    if (anotherStep || before?.issueOn !== release.issueOn) watched.edge = undefined;
    // Not the time that the status names: after a restart, requests are counted from now on.
    if (anotherStep) watched.since = new Date(now()).toISOString();
    watched.release = release;
  }

  function sampleOne(id: string, watched: Watched): void {
    const samples = watched.timeline.add(now(), watched.release.step, watched.exposure.version, () => summaryOf(watched));
    const [namespace = '', name = ''] = id.split('/');
    if (samples.length > 0) onSamples(namespace, name, samples);
  }

  function sample(): void {
    for (const [id, watched] of releases) sampleOne(id, watched);
  }

  function forget(ref: ObjectRef): void {
    const id = `${ref.namespace}/${ref.name}`;
    releases.delete(id);
    revisions.delete(id);
    bindings.clear();
  }

  async function reread(ref: ObjectRef): Promise<void> {
    const stored = await store.get(ref);
    if (stored === undefined) forget(ref);
    else follow(stored);
  }

  function bindingsOf(rule: string): readonly Binding[] {
    const known = bindings.get(rule);
    if (known !== undefined) return known;
    if (bindings.size >= MAX_BINDINGS) bindings.clear();
    const found = servedRuleNames(rule).flatMap((parsed): Binding[] => {
      const watched = releases.get(`${parsed.namespace}/${parsed.release}`);
      return watched === undefined ? [] : [{ rule: parsed, watched }];
    });
    bindings.set(rule, found);
    return found;
  }

  function observe(event: RequestEvent): void {
    const { destination } = event;
    if (event.rule === undefined || destination === undefined) return;
    for (const binding of bindingsOf(event.rule)) observeRelease(event, destination, binding);
  }

  /** What one request tells of one release. */
  function observeRelease(event: RequestEvent, destination: NonNullable<RequestEvent['destination']>, binding: Binding): void {
    const { rule, watched } = binding;
    const { release, exposure } = watched;
    const atEdge = event.listener === 'ingress';
    // An id that another release issued says nothing about a draw; and a preflight is no visit: browsers send it without cookies, and
    // keep none of its answer. Who was picked, or chose, was not drawn.
    const counted = release.counts === 'visitors' && event.method !== 'OPTIONS' && rule.role !== 'claimed';
    const visitorId = counted ? visitorOf(binding, event) : undefined;
    // Where weaving moved the destination it is the released service's; where it kept it, the edge only decides.
    if (rule.base.kind === 'moved') {
      exposure.answered({
        cohort: release.cohortServed(destination, rule.cohort),
        failed: isFailure(event),
        visitorId,
        requestId: atEdge || !counted ? undefined : event.requestId,
        // Browsers always say who they are: without a user agent it is the hop that does not pass it on.
        synthetic: event.userAgent === undefined ? undefined : isSynthetic(event.userAgent),
        // A tunnel lasts as long as somebody wants it to.
        durationMs: event.status === 101 ? undefined : event.durationMs,
      });
    } else if (atEdge && visitorId !== undefined && rule.cohort !== 'drawn') {
      exposure.passed({
        visitorId,
        requestId: event.requestId,
        cohort: release.cohortDecided(rule.cohort),
        synthetic: isSynthetic(event.userAgent),
      });
    }
  }

  /** The visitor's id, brought along or issued now; what is noticed at the edge is counted on the way. */
  function visitorOf({ rule, watched }: Binding, event: RequestEvent): string | undefined {
    const { cookie, idHeader, issueOn, name } = watched.release;
    // Nothing is issued there, so nothing can go wrong with it.
    if (idHeader !== undefined) return visitorIdFromHeader(event.lines(idHeader));
    const known = cookie.idIn(event.cookies);
    if (event.listener !== 'ingress') return known;
    const issued = known === undefined ? issuedId(rule, event) : undefined;
    if (isSynthetic(event.userAgent)) return known ?? issued;
    watched.edge ??= new EdgeTally(issueOn);
    const visitor = known !== undefined ? 'known' : issued !== undefined ? 'issued' : 'none';
    const drewCanary = rule.role === 'new' && rule.cohort === 'canary';
    if (watched.edge.count(event, visitor, drewCanary)) tell(watched, edgeFindings(name, watched.edge.summary(), issueOn));
    return known ?? issued;
  }

  function tell({ told }: Watched, findings: readonly Diagnostic[]): void {
    for (const finding of findings) {
      if (told.has(finding.code)) continue;
      told.add(finding.code);
      onFinding(finding);
    }
  }

  const unwatch = store.watch((refs) => {
    for (const ref of refs) {
      if (ref.kind === KIND) reread(ref).catch(onError);
    }
  });
  const timer = setInterval(sample, FIRST_INTERVAL_MS);
  timer.unref();
  const ready = store.list(KIND).then((stored) => stored.forEach(follow), onError);

  return {
    observe,
    ready,
    summary: (namespace, name) => {
      const watched = releases.get(`${namespace}/${name}`);
      return watched === undefined ? undefined : summaryOf(watched);
    },
    timeline: (namespace, name) => releases.get(`${namespace}/${name}`)?.timeline.view(),
    sample,
    close: () => {
      closed = true;
      clearInterval(timer);
      unwatch();
    },
  };
}

function summaryOf({ exposure, edge, release, since }: Watched): ExposureSummary {
  if (release.counts === 'requests') return exposure.requestSummary(since, release.weight);
  return { ...exposure.summary(since, release.weight, release.cutoff), ...(edge !== undefined && { edge: edge.summary() }) };
}

/** At a first visit the request's id is what the edge's Set-Cookie makes the visitor's. */
function issuedId(rule: WovenRuleName, event: RequestEvent): string | undefined {
  return rule.role === 'new' && rule.cohort !== 'drawn' && isVisitorId(event.requestId) ? event.requestId : undefined;
}

/** 5xx, or no answer at all; a client that went away (DC) is not the service's failure. */
function isFailure(event: RequestEvent): boolean {
  return event.status >= 500 || (event.status === 0 && event.flag !== 'DC');
}
