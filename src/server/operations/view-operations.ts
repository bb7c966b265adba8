import { z } from 'zod';
import { REQUEST_ACTIONS } from '../../core/release/requests.ts';
import { comparisonView } from '../../core/view/comparison-view.ts';
import { forecastView } from '../../core/view/forecast-view.ts';
import { routeTrialRequest, routeTrialView } from '../../core/view/route-trial-view.ts';
import { timelineView } from '../../core/view/timeline-view.ts';
import { wovenRoutesView } from '../../core/view/woven-routes-view.ts';
import { operation } from './operation.ts';

const ONE = '/api/v1/releases/{namespace}/{name}';
const tag = 'Releases';
const absent = { 404: ['PERCH4005'] } as const;

/** What is to be seen of one release beside its resource. */
export const VIEW_OPERATIONS = {
  timeline: operation({
    id: 'timelineOfRelease',
    method: 'get',
    path: `${ONE}/timeline`,
    tag,
    access: 'view',
    summary: 'What was measured of a release over time',
    answers: { 200: { description: 'The samples', schema: timelineView.meta({ id: 'Timeline' }) } },
    problems: absent,
  }),
  forecast: operation({
    id: 'forecastOfRequest',
    method: 'get',
    path: `${ONE}/forecast`,
    tag,
    access: 'view',
    summary: 'What a request to a release would do now',
    query: z
      .strictObject({
        action: z.enum(REQUEST_ACTIONS),
        full: z
          .enum(['true', 'false'])
          .transform((value) => value === 'true')
          .optional()
          .describe('Only with promote: to the end.'),
      })
      .refine(({ action, full }) => full !== true || action === 'promote', { path: ['full'], error: 'only with action promote' }),
    answers: { 200: { description: 'What it would do', schema: forecastView.meta({ id: 'Forecast' }) } },
    problems: absent,
  }),
  routes: operation({
    id: 'routesOfRelease',
    method: 'get',
    path: `${ONE}/routes`,
    tag,
    access: 'view',
    summary: 'The objects that a release is woven into, as their owner wrote them and as they are served',
    answers: { 200: { description: 'The objects, line by line', schema: wovenRoutesView.meta({ id: 'WovenRoutes' }) } },
    problems: absent,
  }),
  comparison: operation({
    id: 'comparisonOfRelease',
    method: 'get',
    path: `${ONE}/comparison`,
    tag,
    access: 'view',
    summary: 'What other schemes would have exposed over the same steps, simulated',
    answers: { 200: { description: 'Their exposure over time', schema: comparisonView.meta({ id: 'Comparison' }) } },
    problems: absent,
  }),
  routeTrial: operation({
    id: 'tryRequest',
    method: 'post',
    path: '/api/v1/route-trials',
    tag: 'Objects',
    // It asks with a body, and changes nothing.
    access: 'view',
    summary: 'Where a request would go, and why, rule by rule; nothing is sent',
    body: routeTrialRequest,
    answers: { 200: { description: 'Its way through the routes', schema: routeTrialView.meta({ id: 'RouteTrial' }) } },
  }),
};
