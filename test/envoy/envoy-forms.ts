import { type EchoOrigin, startEchoOrigin } from './echo-origin.ts';
import { startEnvoy } from './envoy-process.ts';
import { gatewayVirtualHosts, meshVirtualHosts } from './istio-hosts.ts';
import { EDGE_PORT, envoyClusters, originNames, SERVICE_PORT, serviceObjects } from './shop-objects.ts';
import { drawnByHeader, hostsListener } from './static-config.ts';
import type { WovenForm } from './woven-forms.ts';

/** One real Envoy with every form of a suite, and the origins behind it. */
export interface EnvoyForms {
  /** Port of an origin, by its name. */
  readonly portOf: (origin: string) => number;
  /** Port of a form's listener. */
  port(form: WovenForm, kind: 'ingress' | 'mesh'): number;
  stop(): Promise<void>;
}

/** What a suite decides where Envoy would: ids and draws. */
interface EnvoyFormsOptions {
  /** `preserve`: the gateway keeps a client's request id; `edge`: it draws its own, as Istio's does. Sidecars keep it. */
  readonly requestId: 'edge' | 'preserve';
  /** Destinations are drawn by the number in this header instead of by chance. */
  readonly drawHeader?: string;
}

/** Starts the shop's origins and an Envoy that serves each form as a gateway, and as the sidecar of whoever calls the shop. */
export async function startEnvoyForms(executable: string, forms: readonly WovenForm[], options: EnvoyFormsOptions): Promise<EnvoyForms> {
  const origins = new Map<string, EchoOrigin>();
  for (const name of originNames()) origins.set(name, await startEchoOrigin(name));
  const portOf = (origin: string): number => origins.get(origin)?.port ?? 0;
  const closeOrigins = () => Promise.all([...origins.values()].map((origin) => origin.close()));
  const listenerName = (form: WovenForm, kind: string): string => `${form.name} ${kind}`;
  const listeners = forms.flatMap((form) =>
    form.asked.map(({ kind }) => {
      const all = [...serviceObjects(portOf), ...form.objects];
      const hosts = kind === 'ingress' ? gatewayVirtualHosts(all, EDGE_PORT) : meshVirtualHosts(all, SERVICE_PORT);
      const { requestId, drawHeader } = options;
      const drawn = drawHeader === undefined ? hosts : hosts.map((host) => drawnByHeader(host, drawHeader));
      return hostsListener(listenerName(form, kind), drawn, { requestId, showRoute: true, sidecar: kind === 'mesh' });
    }),
  );
  try {
    const envoy = await startEnvoy(executable, { listeners, clusters: envoyClusters(portOf) });
    return {
      portOf,
      port: (form, kind) => envoy.port(listenerName(form, kind)),
      stop: async () => {
        await envoy.stop();
        await closeOrigins();
      },
    };
  } catch (error) {
    await closeOrigins();
    throw error;
  }
}
