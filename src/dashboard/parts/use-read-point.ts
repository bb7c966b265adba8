import { useState } from 'preact/hooks';
import { nearestPlace } from '../model/scale.ts';

/** Which of a chart's points is read. */
interface ReadPoint {
  /** Index into `times`; undefined: none is. */
  readonly at: number | undefined;
  read(at: number | undefined): void;
}

/** The point of a chart that is read, kept by its time: points come, and are thinned out, while one reads. `times` grow, in ms. */
export function useReadPoint(times: readonly number[]): ReadPoint {
  const [time, setTime] = useState<number>();
  return {
    at: time === undefined || times.length === 0 ? undefined : nearestPlace(times, time),
    read: (at) => setTime(at === undefined ? undefined : times[at]),
  };
}
