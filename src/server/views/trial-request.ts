import type { z } from 'zod';
import type { CanaryReleaseSpec } from '../../core/release/canary-release.ts';
import type { routeTrialRequest } from '../../core/view/route-trial-view.ts';
import type { RequestOnWire } from '../../gateway/incoming-request.ts';

/** What somebody wants to try. */
export type AskedTrial = z.output<typeof routeTrialRequest>;

/** A trial's request as a client would send it, and the port that it is sent to. */
export interface TrialRequest extends Omit<RequestOnWire, 'downstream'> {
  readonly scheme: 'http' | 'https';
  readonly port: number;
  /** Of the URL, in lower case, without its port. */
  readonly host: string;
}

/** How a release's visitors carry their id. */
export type IdCarrier = Pick<CanaryReleaseSpec, 'visitorId'>;

/** Names of cookies and headers for one visitor id, at most. */
const MOST_NAMES = 20;

/** The request of a trial; undefined where its URL is none of http or https. The visitor's id goes where `carriers` have it, by default the cookie `perch`. */
export function trialRequest({ method, url, headers, visitorId }: AskedTrial, carriers: readonly IdCarrier[]): TrialRequest | undefined {
  // Not by WHATWG's rules: a browser's URL has its dot segments taken out, and the gateway is to show what it does with them.
  const parts = /^(https?):\/\/([^/?#]+)([^#]*)$/i.exec(url);
  if (parts === null) return undefined;
  const [, scheme = '', authority = '', rest = ''] = parts;
  const secure = scheme.toLowerCase() === 'https';
  const sent = [...headers, ...(visitorId === undefined ? [] : idLines(visitorId, carriers))];
  const host = sent.some(([name]) => name.toLowerCase() === 'host') ? [] : ['host', authority];
  return {
    method,
    target: rest.startsWith('/') ? rest : `/${rest}`,
    version: '1.1',
    scheme: secure ? 'https' : 'http',
    rawHeaders: [...host, ...sent.flat()],
    upgradable: false,
    host: authority.replace(/:\d*$/, '').toLowerCase(),
    port: Number(/:(\d{1,5})$/.exec(authority)?.[1] ?? (secure ? 443 : 80)),
  };
}

function idLines(id: string, carriers: readonly IdCarrier[]): readonly [name: string, value: string][] {
  const ids = carriers.map(({ visitorId }) => visitorId);
  const headers = ids.flatMap(({ from }) => (from === undefined ? [] : [from.header]));
  const cookies = ids.flatMap(({ from, cookie }) => (from === undefined ? [cookie.name] : []));
  const names = new Set(headers.length + cookies.length === 0 ? ['perch'] : cookies);
  return [
    ...[...names].slice(0, MOST_NAMES).map((name): [string, string] => ['cookie', `${name}=${id}`]),
    ...[...new Set(headers)].slice(0, MOST_NAMES).map((name): [string, string] => [name, id]),
  ];
}
