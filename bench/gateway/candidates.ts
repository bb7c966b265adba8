import type { Candidate, Origins, Scheme } from './candidate.ts';
import type { Certificate } from './certificate.ts';
import { startEnvoyProxy } from './envoy.ts';
import { startHaproxyProxy } from './haproxy.ts';
import { startNginxProxy } from './nginx.ts';
import { startPerchProxy } from './perch.ts';
import { CUTOFF, shopRoutes, shopSetCookie, wovenShopRoutes } from './shop.ts';

/** Every proxy with and without the scheme, pinned to `core`; `envoy` is the path of an Envoy. */
export function allCandidates(core: number, envoy: string, origins: Origins, certificate: Certificate): readonly Candidate[] {
  const scheme: Scheme = { cutoff: CUTOFF, setCookie: shopSetCookie() };
  return [
    { name: 'nginx', proxy: 'nginx', scheme: false, start: () => startNginxProxy(core, origins, certificate, undefined) },
    { name: 'nginx', proxy: 'nginx', scheme: true, start: () => startNginxProxy(core, origins, certificate, scheme) },
    { name: 'HAProxy', proxy: 'HAProxy', scheme: false, start: () => startHaproxyProxy(core, origins, certificate, undefined) },
    { name: 'HAProxy', proxy: 'HAProxy', scheme: true, start: () => startHaproxyProxy(core, origins, certificate, scheme) },
    { name: 'Envoy', proxy: 'Envoy', scheme: false, start: () => startEnvoyProxy(envoy, core, origins, certificate, shopRoutes) },
    { name: 'Envoy', proxy: 'Envoy', scheme: true, start: () => startEnvoyProxy(envoy, core, origins, certificate, wovenShopRoutes()) },
    {
      name: 'Perch',
      proxy: 'Perch',
      scheme: false,
      start: () => startPerchProxy(core, { origins, certificate, scheme: false, evidence: false }),
    },
    {
      name: 'Perch',
      proxy: 'Perch',
      scheme: true,
      start: () => startPerchProxy(core, { origins, certificate, scheme: true, evidence: false }),
    },
    {
      name: 'Perch, evidence and metrics',
      proxy: 'Perch',
      scheme: true,
      evidence: true,
      start: () => startPerchProxy(core, { origins, certificate, scheme: true, evidence: true, telemetry: {} }),
    },
  ];
}
