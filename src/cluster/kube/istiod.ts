import { readFile } from 'node:fs/promises';
import type { EnvoyRouteConfiguration } from '../../core/istio/envoy-route.ts';
import { KubeClient } from './kube-client.ts';

/** One Envoy that an istiod configures, and what it was sent of routes last (istio pilot/pkg/xds SyncStatus). */
export interface ConnectedProxy {
  /** `productpage-v1-x.default`. */
  readonly id: string;
  /** `waypoint` has its routes within its listeners. */
  readonly type: 'router' | 'waypoint' | 'sidecar';
  /** Names what was sent, and what of it the Envoy has acknowledged; empty where nothing was. */
  readonly sent: string;
  readonly acknowledged: string;
  /** Why the Envoy rejected what was sent. */
  readonly rejection: string | undefined;
}

interface SyncStatus {
  readonly proxy?: string;
  readonly proxy_type?: string;
  readonly route_sent?: string;
  readonly route_acked?: string;
  readonly listener_sent?: string;
  readonly listener_acked?: string;
  readonly resources?: Readonly<Record<string, { readonly lastError?: string }>>;
}

const ROUTE_TYPE = 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration';
const LISTENER_TYPE = 'type.googleapis.com/envoy.config.listener.v3.Listener';
/** An answer comes within this time, in ms, or the istiod counts as one that cannot be asked. */
const ANSWER_MS = 2000;

/** The debug interface of one istiod, which knows the Envoys that are connected to it and no others. */
export class Istiod {
  readonly #client: KubeClient;

  /** `tokenFile`: a token of this workload for the audience `istio-ca`, as every proxy has one; read anew each time, since kubelet renews it. */
  constructor(url: string, tokenFile: string | undefined) {
    this.#client = new KubeClient({
      url,
      async authenticate(options) {
        if (tokenFile === undefined) return;
        options.headers = { ...options.headers, authorization: `Bearer ${(await readFile(tokenFile, 'utf8')).trim()}` };
      },
    });
  }

  /**
   * The Envoys that are connected to it and have routes.
   * @throws KubeError where it cannot be asked.
   */
  async proxies(): Promise<readonly ConnectedProxy[]> {
    const answer = await this.#get('/debug/syncz');
    const all = Array.isArray(answer) ? (answer as readonly SyncStatus[]) : [];
    return all.flatMap((status): ConnectedProxy[] => {
      const { proxy: id = '', proxy_type: type, resources = {} } = status;
      const isWaypoint = type === 'waypoint';
      const {
        [isWaypoint ? 'listener_sent' : 'route_sent']: sent = '',
        [isWaypoint ? 'listener_acked' : 'route_acked']: acknowledged = '',
      } = status;
      // It has no routes yet, or is none that has any (ztunnel).
      if (sent === '' || (type !== 'router' && type !== 'sidecar' && !isWaypoint)) return [];
      const rejection = resources[isWaypoint ? LISTENER_TYPE : ROUTE_TYPE]?.lastError;
      return [{ id, type, sent, acknowledged, rejection: rejection === '' ? undefined : rejection }];
    });
  }

  /**
   * The routes that it has made, or is about to send, for an Envoy.
   * @throws KubeError where it cannot be asked, or the Envoy is not connected (any more).
   */
  async routesOf({ id, type }: ConnectedProxy): Promise<readonly EnvoyRouteConfiguration[]> {
    const query = new URLSearchParams({ proxyID: id, types: type === 'waypoint' ? 'lds' : 'rds' });
    return routeConfigurationsIn(await this.#get(`/debug/config_dump?${query}`));
  }

  async #get(path: string): Promise<unknown> {
    return await this.#client.request(path, { signal: AbortSignal.timeout(ANSWER_MS) });
  }
}

/** Wherever they are: by themselves, or within listeners. */
function routeConfigurationsIn(value: unknown): readonly EnvoyRouteConfiguration[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('virtualHosts' in value && Array.isArray(value.virtualHosts)) return [value as EnvoyRouteConfiguration];
  return Object.values(value).flatMap(routeConfigurationsIn);
}
