import type { KubeObject } from '../core/istio/resources.ts';
import { yamlText } from '../core/source/yaml-text.ts';
import { manifestOf } from './manifest.ts';

/**
 * An object as files hold it: what an owner declares (apiVersion, kind, metadata, spec, in this order; in the spec the order of the
 * owner's file), without a line end. The same object gives the same bytes.
 */
export async function objectYaml(object: KubeObject): Promise<string> {
  return await yamlText(manifestOf(object));
}

/** Several as one YAML stream, each ended by a line end; empty where there is none. */
export async function yamlDocuments(objects: readonly KubeObject[]): Promise<string> {
  const texts = await Promise.all(objects.map(objectYaml));
  return texts.map((text) => `${text}\n`).join('---\n');
}
