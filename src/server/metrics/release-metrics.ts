import { Gauge } from 'prom-client';
import type { StoredObject } from '../../cluster/store.ts';
import { PHASES } from '../../core/release/phase.ts';
import { initialStatus } from '../../core/release/status-change.ts';
import { exposurePercent } from '../../core/release/status-figures.ts';
import type { MetricsPage } from './metrics-page.ts';

/** Names of one release; nothing else of what users write becomes a label. */
export const RELEASE_LABELS = ['namespace', 'name'] as const;

/** Where the releases stand that `releases` gives; the series of those that it does not give any more are gone. */
export function addReleaseMetrics(page: MetricsPage, releases: () => Promise<readonly StoredObject[]>): void {
  const registers = [page.registry];
  const weight = new Gauge({
    name: 'perch_release_weight',
    help: 'Share of visitors that the step asks for, in percent.',
    labelNames: RELEASE_LABELS,
    registers,
  });
  const exposure = new Gauge({
    name: 'perch_release_exposure_percent',
    help: 'Share of visitors that the weight comes to, in percent, as the column Exposure has it: buckets are whole. By the routes, not measured. Absent before the first step, and with affinity.mode canaryOnly.',
    labelNames: RELEASE_LABELS,
    registers,
  });
  const step = new Gauge({
    name: 'perch_release_step',
    help: 'Index of the current step, from 0; -1 before the first.',
    labelNames: RELEASE_LABELS,
    registers,
  });
  const phase = new Gauge({
    name: 'perch_release_phase',
    help: 'Phase of the release: 1 for the one that it is in, 0 for all others.',
    labelNames: [...RELEASE_LABELS, 'phase'] as const,
    registers,
  });
  page.read(async () => {
    for (const each of [weight, exposure, step, phase]) each.reset();
    for (const { ref, status = initialStatus() } of await releases()) {
      const { namespace, name } = ref;
      weight.set({ namespace, name }, status.weight);
      const percent = exposurePercent(status);
      if (percent !== undefined) exposure.set({ namespace, name }, percent);
      step.set({ namespace, name }, status.step);
      for (const each of PHASES) phase.set({ namespace, name, phase: each }, each === status.phase ? 1 : 0);
    }
  });
}
