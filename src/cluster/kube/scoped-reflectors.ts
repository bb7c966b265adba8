import type { KubeObject } from '../../core/istio/resources.ts';
import type { KubeClient } from './kube-client.ts';
import { Reflector, type ReflectorHandler } from './reflector.ts';

/** Who is told what the API holds in some namespaces, or in all. */
export interface ScopedHandler extends Omit<ReflectorHandler, 'replaced'> {
  /** All objects of one namespace; undefined: of all. */
  replaced(objects: readonly KubeObject[], version: string, namespace: string | undefined): void;
}

/** What is reflected, where, and for whom. */
interface ScopedReflection {
  readonly client: KubeClient;
  /** Undefined among them: all, at once. */
  readonly namespaces: readonly (string | undefined)[];
  readonly pathOf: (namespace: string | undefined) => string;
  readonly handler: ScopedHandler;
  readonly metadataOnly?: boolean;
}

/** A reflector for each namespace: an apiserver lists and watches one, or all of them. */
export function reflectEach({ client, namespaces, pathOf, handler, metadataOnly = false }: ScopedReflection): readonly Reflector[] {
  return namespaces.map(
    (namespace) =>
      new Reflector({
        client,
        path: pathOf(namespace),
        metadataOnly,
        handler: {
          replaced: (objects, version) => handler.replaced(objects, version, namespace),
          applied: (object) => handler.applied(object),
          deleted: (object) => handler.deleted(object),
          failed: (error, wait) => handler.failed(error, wait),
        },
      }),
  );
}
