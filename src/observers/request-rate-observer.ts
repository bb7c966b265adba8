import type { RequestRateSource } from '../cluster/request-rates.ts';
import type { RequestObserver } from '../core/evidence/request-event.ts';
import { RequestRates } from '../core/evidence/request-rates.ts';

/** Counts the requests of every service, as the gateway tells of them. */
export interface RequestRateObserver extends RequestRateSource {
  readonly observe: RequestObserver;
}

/** Starts counting; `now` is monotonic, in ms. */
export function startRequestRateObserver(now: () => number = () => performance.now()): RequestRateObserver {
  const rates = new RequestRates(now());
  return {
    observe: ({ destination }) => {
      if (destination !== undefined) rates.count(`${destination.host}:${destination.port}`, now());
    },
    perSecond: (host, port) => rates.perSecond(`${host}:${port}`, now()) ?? 'measuring',
  };
}
