import type { KubeObject } from '../../src/core/istio/resources.ts';
import { type BookinfoPorts, startBookinfo } from '../../src/demo/bookinfo/start-bookinfo.ts';
import { Closers } from '../harness/closers.ts';
import type { MeshParts } from '../requirements.ts';
import { ReleaseHandle } from './cluster-release.ts';
import { startIstioCluster } from './istio-cluster.ts';
import { INGRESS, PRODUCTPAGE, startIstiod, startMeshEnvoy } from './mesh.ts';
import { startController } from './start-controller.ts';
import { startToSidecar } from './to-sidecar.ts';

/** Where Bookinfo listens, and what it is declared by. */
interface BookinfoMeshOptions {
  /** Port of the gateway in the manifests, and of all services. */
  readonly gatewayPort: number;
  readonly servicePort: number;
  /** Ports of the workloads; 0: any free one. */
  readonly workloads: BookinfoPorts;
  /** What is applied, once it is known where the workloads listen. */
  readonly manifests: (workloads: BookinfoPorts) => readonly KubeObject[];
}

/** Bookinfo in a mesh of its own, with a controller that has begun. */
export interface BookinfoMesh {
  readonly reviews: ReleaseHandle;
  readonly gatewayPort: number;
  close(): Promise<void>;
}

/** Bookinfo with reviews behind productpage, which forwards cookie and x-request-id: a gateway, a sidecar, and what they were told by istiod. */
export async function startBookinfoMesh(parts: MeshParts, options: BookinfoMeshOptions): Promise<BookinfoMesh> {
  const { gatewayPort, servicePort, workloads, manifests } = options;
  const closers = new Closers();
  try {
    const toSidecar = closers.keep(await startToSidecar(servicePort));
    const proxy = { host: '127.0.0.1', port: toSidecar.port };
    const bookinfo = closers.keep(await startBookinfo({ ports: workloads, proxy, perchApi: undefined }));
    const cluster = closers.keep(await startIstioCluster(parts));
    await cluster.apply(...manifests(bookinfo.ports));
    const istiod = closers.keep(await startIstiod(parts.istiod, cluster.kubeconfig));
    closers.keep(await startMeshEnvoy(parts.envoy, istiod, INGRESS, gatewayPort));
    closers.keep(await startMeshEnvoy(parts.envoy, istiod, PRODUCTPAGE, servicePort));
    closers.keep(startController(cluster.controllerKubeconfig, ['--istiod', istiod.debugUrl, '--settle', '1s']));
    return { reviews: new ReleaseHandle(cluster, 'reviews'), gatewayPort, close: () => closers.close() };
  } catch (error) {
    await closers.close();
    throw error;
  }
}
