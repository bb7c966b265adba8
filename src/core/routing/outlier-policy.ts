import { parseDuration } from '../istio/duration.ts';
import type { DestinationRule, OutlierDetection, Subset } from '../istio/resources.ts';

/** When an endpoint of a cluster is ejected, and for how long: an `outlierDetection` with nothing left open. */
export interface OutlierPolicy {
  /** 5xx in a row, failures to connect and to answer among them; 0: never. */
  readonly consecutive5xxErrors: number;
  /** 502, 503 and 504 in a row, failures to connect and to answer among them; 0: never. */
  readonly consecutiveGatewayErrors: number;
  /** Between two looks for endpoints that may return. */
  readonly intervalMs: number;
  /** For how long the first ejection lasts; the next ones as many times as long, up to `maxEjectionMs`. */
  readonly baseEjectionMs: number;
  readonly maxEjectionMs: number;
  /** Share of a cluster's endpoints that may be ejected at once. */
  readonly maxEjectionPercent: number;
  /** Where fewer are healthy, all endpoints are used. */
  readonly minHealthPercent: number;
}

const MAX_EJECTION_MS = 300_000;

/**
 * The policy of a host, or of one of its subsets; undefined where there is none. Of several DestinationRules the first with a traffic policy
 * counts (istio pilot/pkg/model/destination_rule.go), and a subset's `outlierDetection` takes the place of the host's as a whole (util
 * MergeSubsetTrafficPolicy). Defaults are Envoy's, but for `minHealthPercent` (istio applyOutlierDetection).
 */
export function outlierPolicy(rules: readonly DestinationRule[], subset?: Subset): OutlierPolicy | undefined {
  const ofHost = rules.find(({ spec }) => spec.trafficPolicy !== undefined)?.spec.trafficPolicy?.outlierDetection;
  const detection = subset?.trafficPolicy?.outlierDetection ?? ofHost;
  return detection && policyOf(detection);
}

function policyOf(detection: OutlierDetection): OutlierPolicy {
  const baseEjectionMs = msOf(detection.baseEjectionTime, 30_000);
  return {
    consecutive5xxErrors: detection.consecutive5xxErrors ?? 5,
    consecutiveGatewayErrors: detection.consecutiveGatewayErrors ?? 0,
    intervalMs: msOf(detection.interval, 10_000),
    baseEjectionMs,
    maxEjectionMs: Math.max(MAX_EJECTION_MS, baseEjectionMs),
    // Istio passes on what is above 0 only.
    maxEjectionPercent: detection.maxEjectionPercent || 10,
    minHealthPercent: detection.minHealthPercent ?? 0,
  };
}

function msOf(duration: string | undefined, otherwise: number): number {
  return duration === undefined ? otherwise : (parseDuration(duration) ?? otherwise);
}
