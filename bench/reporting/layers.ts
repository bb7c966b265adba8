/** What is told of requests: nothing, which visitors saw what, rates by service, Istio's metrics, or all of it, as `perch serve` does. */
export const LAYERS = ['nothing', 'an event', 'visitors', 'rates', 'metrics', 'all'] as const;

/** One of `LAYERS`. */
export type Layer = (typeof LAYERS)[number];

/** What one-layer.ts is told, as one argument of JSON. */
export interface LayerOptions {
  readonly layer: Layer;
  /** Reports that are measured, and as many before them that are not. */
  readonly reports: number;
}

/** CPU time of the main thread for one report, in ns, and what it allocated, in bytes; medians over pieces of 64 reports. */
export interface LayerFigures {
  readonly ns: number;
  readonly bytes: number;
}
