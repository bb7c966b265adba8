import { Gauge } from 'prom-client';
import type { ObjectRef, StoredObject } from '../../cluster/store.ts';
import type { ExposureSummary, PerCohort } from '../../core/evidence/exposure.ts';
import type { MetricsPage } from './metrics-page.ts';

const LABELS = ['namespace', 'name', 'cohort'] as const;

/** What was measured of releases: of real visitors, since the current step began. */
export function addExposureMetrics(
  page: MetricsPage,
  releases: () => Promise<readonly StoredObject[]>,
  exposure: (release: ObjectRef) => ExposureSummary | undefined,
): void {
  const gauge = (name: string, help: string) => new Gauge({ name, help, labelNames: LABELS, registers: [page.registry] });
  const visitors = gauge(
    'perch_release_exposure_visitors',
    'Visitors that the released service answered since the step began, by the cohort of their last answer; absent where they cannot be told apart.',
  );
  const requests = gauge('perch_release_exposure_requests', 'Answers of the released service since the step began.');
  const errors = gauge('perch_release_exposure_errors', 'Those of them that failed.');
  page.read(async () => {
    for (const each of [visitors, requests, errors]) each.reset();
    for (const { ref } of await releases()) {
      const summary = exposure(ref);
      if (summary === undefined) continue;
      const set = (metric: typeof visitors, { stable, canary }: PerCohort): void => {
        metric.set({ namespace: ref.namespace, name: ref.name, cohort: 'stable' }, stable);
        metric.set({ namespace: ref.namespace, name: ref.name, cohort: 'canary' }, canary);
      };
      const { real } = summary;
      if (summary.counts === 'visitors') {
        const { total, canary } = summary.real.visitors;
        set(visitors, { stable: total - canary, canary });
      }
      set(requests, real.requests);
      set(errors, real.errors);
    }
  });
}
