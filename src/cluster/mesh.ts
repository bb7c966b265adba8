import type { Diagnostic } from '../core/diagnostics/diagnostic.ts';
import type { RoutedAt } from '../core/istio/mesh-facts.ts';

/** What is known of the mesh that a release is in, beside its routes. */
export interface Mesh {
  /** What of it keeps a release of this host, which is resolved, from being what it says. */
  findings(host: string, at: RoutedAt): readonly Diagnostic[];
  /** Called when findings may have changed; returns the way to stop. */
  onChange(listener: () => void): () => void;
}
