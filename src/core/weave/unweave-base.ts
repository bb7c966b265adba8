import type { Version } from '../release/canary-release.ts';
import { serviceOf } from './released-destination.ts';
import { unweave } from './unweave.ts';
import { type WeaveInput, type WeaveResult, weaveRelease } from './weave-virtual-service.ts';

/**
 * The bases with every released destination pointing at the live version: what is to stay when the release goes. Released are the rules that
 * weaving moves; what it cannot weave is left alone, as it was all along. No routes where nothing can be woven: the diagnostics say why.
 */
export function unweaveBase(input: Omit<WeaveInput, 'plan'>, live: Version): WeaveResult {
  const { release } = input;
  const service = serviceOf(release);
  const { routes, diagnostics } = weaveRelease({ ...input, plan: { kind: 'settled', live } });
  return {
    routes: routes.map((route) => ({
      ...route,
      virtualService: unweave(route.virtualService, { release: release.metadata, service, version: live }),
    })),
    diagnostics,
  };
}
