import type { HTTPMatchRequest } from '../istio/resources.ts';

/** Whether Istio sorts the match's route behind those of all objects of the host, and emits none of its object after it (istio route.go IsCatchAllRoute). */
export function isCatchAll({ uri, method, scheme, authority, headers, withoutHeaders, queryParams }: HTTPMatchRequest): boolean {
  if (method ?? scheme ?? authority) return false;
  if ([headers, withoutHeaders, queryParams].some((map) => Object.keys(map ?? {}).length > 0)) return false;
  return uri === undefined || ('prefix' in uri && uri.prefix === '/') || ('regex' in uri && uri.regex === '.*');
}
