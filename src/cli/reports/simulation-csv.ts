import type { SimulationView } from './simulation-view.ts';

const HEAD = [
  'scheme',
  'step',
  'weight',
  'hold_ms',
  'visitors',
  'exposed',
  'exposed_percent',
  'visitor_requests',
  'exposed_requests',
  'requests',
  'canary_requests',
  'switches',
  'flip_backs',
  'pages',
  'mixed_pages',
];

/** One line for each step of each scheme (RFC 4180, but that lines end as everywhere else here), below their names. Steps count from 1. */
export function simulationCsv({ schemes, steps }: SimulationView): string {
  const rows = schemes.flatMap(({ scheme, steps: figures }) =>
    figures.map((step, index) => [
      scheme,
      index + 1,
      step.weight,
      steps[index]?.holdMs ?? 0,
      step.visitors,
      step.exposed,
      step.share?.toFixed(3) ?? '',
      step.visitorRequests,
      step.exposedRequests,
      step.requests,
      step.canaryRequests,
      step.switches,
      step.flipBacks,
      step.pages,
      step.mixedPages,
    ]),
  );
  return [HEAD, ...rows].map((row) => `${row.join(',')}\n`).join('');
}
