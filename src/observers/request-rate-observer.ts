import type { RequestRateSource } from '../cluster/request-rates.ts';
import type { RequestEvent, RequestObserver } from '../core/evidence/request-event.ts';
import { RequestRates } from '../core/evidence/request-rates.ts';

type Destination = NonNullable<RequestEvent['destination']>;

/** Counts the requests of every service, as the gateway tells of them. */
export interface RequestRateObserver extends RequestRateSource {
  readonly observe: RequestObserver;
}

/** Starts counting; `now` is monotonic, in ms. */
export function startRequestRateObserver(now: () => number = () => performance.now()): RequestRateObserver {
  const rates = new RequestRates(now());
  // Routes keep their destinations: a service's name is put together once for each of them, not for each request.
  const names = new WeakMap<Destination, string>();
  return {
    observe: ({ destination }) => {
      if (destination === undefined) return;
      let name = names.get(destination);
      if (name === undefined) {
        name = serviceName(destination.host, destination.port);
        names.set(destination, name);
      }
      rates.count(name, now());
    },
    perSecond: (host, port) => rates.perSecond(serviceName(host, port), now()) ?? 'measuring',
  };
}

function serviceName(host: string, port: number): string {
  return `${host}:${port}`;
}
