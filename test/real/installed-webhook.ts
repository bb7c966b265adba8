import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import { makeSelfSigned } from '../harness/self-signed.ts';
import { freePort } from './free-port.ts';
import { type IstioCluster, objectsOf } from './istio-cluster.ts';

const CONFIGURATIONS = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
const SHIPPED = new URL('../../deploy/webhook/webhook.yaml', import.meta.url).pathname;

interface Configuration extends KubeObject {
  readonly webhooks: readonly object[];
}

/** The webhook of deploy/webhook/webhook.yaml, which the apiserver finds at an address in place of a Service: nobody routes Services in these tests. */
export class InstalledWebhook {
  readonly #cluster: IstioCluster;
  readonly #folder = mkdtempSync(join(tmpdir(), 'perch-webhook-'));

  constructor(cluster: IstioCluster) {
    this.#cluster = cluster;
    makeSelfSigned(this.#folder);
  }

  /** A free port, and the options of a `perch controller` that serves the webhook there. */
  async place(): Promise<{ readonly port: number; readonly options: readonly string[] }> {
    const port = await freePort();
    return { port, options: ['--webhook-port', String(port), '--webhook-cert', this.#folder] };
  }

  /** The apiserver asks at this port from now on; undefined: it asks nobody. */
  async ask(port: number | undefined): Promise<void> {
    const shipped = objectsOf(SHIPPED).find(({ kind }) => kind === 'MutatingWebhookConfiguration') as Configuration | undefined;
    if (shipped === undefined) throw new Error('deploy/webhook/webhook.yaml has no MutatingWebhookConfiguration');
    const path = `${CONFIGURATIONS}/${shipped.metadata.name}`;
    if (port === undefined) {
      await this.#cluster.send('DELETE', path);
      return;
    }
    const caBundle = readFileSync(join(this.#folder, 'tls.crt')).toString('base64');
    const clientConfig = { url: `https://127.0.0.1:${port}/weave`, caBundle };
    const pointed = { ...shipped, webhooks: shipped.webhooks.map((webhook) => ({ ...webhook, clientConfig })) };
    const headers = { 'content-type': 'application/apply-patch+yaml' };
    const { status, body } = await this.#cluster.send(
      'PATCH',
      `${path}?fieldManager=admin&force=true&fieldValidation=Strict`,
      pointed,
      headers,
    );
    expect([status < 300, body.message]).toEqual([true, undefined]);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
