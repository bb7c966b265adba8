import { Counter, Histogram } from 'prom-client';
import type { AnswerFigures } from '../webhook/webhook.ts';
import type { MetricsPage } from './metrics-page.ts';

/** From an object that no release is in to one of thousands of rules, in seconds; after 2 s apiservers go on without an answer. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2];

/** What the webhook answers to apiservers. `onAnswer` is to be told of each answer. */
export function addWebhookMetrics(page: MetricsPage): { readonly onAnswer: (figures: AnswerFigures) => void } {
  const registers = [page.registry];
  const answers = new Counter({
    name: 'perch_webhook_answers_total',
    help: 'Writes that an apiserver asked about: woven; unchanged, as no release has to do with them or they are woven already; failed: unchanged, too.',
    labelNames: ['result'],
    registers,
  });
  const took = new Histogram({
    name: 'perch_webhook_duration_seconds',
    help: 'How long the answer to an apiserver took to make.',
    buckets: SECONDS,
    registers,
  });
  for (const result of ['woven', 'unchanged', 'failed'] as const) answers.inc({ result }, 0);
  return {
    onAnswer({ outcome, tookMs }) {
      answers.inc({ result: outcome });
      took.observe(tookMs / 1000);
    },
  };
}
