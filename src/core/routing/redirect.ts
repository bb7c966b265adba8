import type { HTTPMatchRequest, HTTPRedirect } from '../istio/resources.ts';
import { byteText } from './byte-text.ts';
import { replaceMatched } from './rewrite-path.ts';
import type { RoutedRequest } from './routed-request.ts';

/** Gives the Location of a redirect. */
export type Location = (request: RoutedRequest) => string;

/**
 * Compiles a redirect on a listener of `listenPort` (istio route.go ApplyRedirect, envoy Utility::newUri).
 * The port of the Host stays unless the redirect names another, or the scheme changes and the port was the old scheme's default.
 */
export function compileRedirect(redirect: HTTPRedirect, match: HTTPMatchRequest, listenPort: number, isTls: boolean): Location {
  const port = explicitPort(redirect, listenPort, isTls);
  const suffix = port === undefined ? '' : `:${port}`;
  const path = redirectPath(redirect, match);
  return (request) => {
    const { head } = request;
    const scheme = redirect.scheme ?? head.scheme;
    const host = redirect.authority ? byteText(redirect.authority) : hostOf(head.authority, head.scheme, scheme, port !== undefined);
    return `${scheme}://${host}${suffix}${path(request)}`;
  };
}

/** Undefined: none is written, so that the one of the request's Host stays. */
function explicitPort(redirect: HTTPRedirect, listenPort: number, isTls: boolean): number | undefined {
  const port = redirect.port ?? (redirect.derivePort === 'FROM_REQUEST_PORT' ? listenPort : 0);
  const scheme = redirect.scheme ?? (isTls ? 'https' : 'http');
  const isDefault = port === (scheme === 'https' ? 443 : 80);
  return port === 0 || isDefault ? undefined : port;
}

function redirectPath(redirect: HTTPRedirect, match: HTTPMatchRequest): Location {
  if (redirect.uri) {
    const uri = byteText(redirect.uri);
    return uri.includes('?') ? () => uri : (request) => uri + request.query;
  }
  if (redirect.prefixRewrite) return replaceMatched(byteText(redirect.prefixRewrite), match);
  return (request) => request.head.path;
}

function hostOf(authority: string, from: string, to: string, hasNewPort: boolean): string {
  const colon = authority.startsWith('[') ? authority.lastIndexOf(']:') + 1 : authority.lastIndexOf(':');
  if (colon <= 0) return authority;
  const wasDefault = from !== to && authority.slice(colon) === (from === 'https' ? ':443' : ':80');
  return hasNewPort || wasDefault ? authority.slice(0, colon) : authority;
}
