import type { KubeObject, ServiceEntry } from '../../core/istio/resources.ts';
import type { BookinfoPorts, Workload } from './start-bookinfo.ts';

/**
 * The objects of examples/bookinfo (or article) with the ports where Bookinfo's workloads really listen: an endpoint's labels `app` and
 * `version` say which workload it is. Everything else stays as it is.
 */
export function withEndpointPorts(objects: readonly KubeObject[], ports: BookinfoPorts): KubeObject[] {
  return objects.map((object) => {
    if (object.kind !== 'ServiceEntry') return object;
    const { spec } = object as ServiceEntry;
    const endpoints = spec.endpoints?.map((endpoint) => {
      const port = ports[`${endpoint.labels?.['app']}-${endpoint.labels?.['version']}` as Workload] as number | undefined;
      if (port === undefined) return endpoint;
      return { ...endpoint, ports: Object.fromEntries(Object.keys(endpoint.ports ?? {}).map((name) => [name, port])) };
    });
    return endpoints === undefined ? object : { ...object, spec: { ...spec, endpoints } };
  });
}
