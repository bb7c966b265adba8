/** The manifests of a service at the edge, `web`: what most suites that need a running release serve. */

/** A release of `web` from v1 to v2 at the edge. Steps are manual or long, so that tests decide when they end. */
export function webReleaseYaml(name = 'web'): string {
  return `apiVersion: perch.dev/v1alpha1
kind: CanaryRelease
metadata: {name: ${name}}
spec:
  service: {host: web, port: 9080}
  stable: {subset: v1}
  canary: {subset: v2}
  route: {adopt: {virtualService: web}}
  steps:
  - {weight: 10, hold: manual}
  - {weight: 50, hold: 1h}
  - {weight: 100, hold: manual}
`;
}

/** Everyone who comes in by the gateway to `web` v1. */
export const WEB_ROUTES_YAML = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web}
spec:
  hosts: ["*"]
  gateways: [edge]
  http:
  - name: all
    route:
    - destination: {host: web, subset: v1, port: {number: 9080}}
`;

/** The gateway, and the two versions of `web` at these ports. */
export function webBasicsYaml(ports: { readonly v1: number; readonly v2: number }): string {
  return `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge}
spec:
  servers:
  - port: {number: 8080, name: http, protocol: HTTP}
    hosts: ["*"]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: web}
spec:
  host: web
  subsets:
  - {name: v1, labels: {version: v1}}
  - {name: v2, labels: {version: v2}}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: web}
spec:
  hosts: [web.default.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports:
  - {number: 9080, name: http, protocol: HTTP}
  endpoints:
  - {address: 127.0.0.1, ports: {http: ${ports.v1}}, labels: {version: v1}}
  - {address: 127.0.0.1, ports: {http: ${ports.v2}}, labels: {version: v2}}
`;
}
