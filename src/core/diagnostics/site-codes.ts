import type { CodeEntry } from './code-entry.ts';

/** Codes of `CODES`: 50xx what `perch doctor` finds on a site. */
export const SITE_CODES = {
  PERCH5001: {
    title: 'The canary is not sticky',
    remedy:
      'Visitors who keep their cookies leave the canary again. Route by a cookie that stays with the visitor: a release of Perch in mode visitor does. A rollback during the probe looks the same.',
  },
  PERCH5002: {
    title: 'The outcome is pinned, not the visitor',
    remedy:
      'Whoever is not on the canary is drawn again at each request, so its share of visitors grows by itself. Give each visitor an id at first sight and route by it: a release of Perch in mode visitor.',
  },
  PERCH5003: {
    title: 'Visitors moved to the canary while they were probed',
    remedy: 'If a release widened meanwhile, probe again while it holds. Else look for a mark of stable visitors that ends soon.',
  },
  PERCH5004: {
    title: 'A page mixes versions',
    remedy: 'Its parts were answered by another version than its document. Let all requests of a visitor be routed by the same cookie.',
  },
  PERCH5010: {
    title: 'Browsers drop a cookie',
    remedy: 'Mend the attribute that is named: a cookie that browsers drop pins nobody.',
  },
  PERCH5011: {
    title: 'A cookie is for a part of the site only',
    remedy: 'Set it with Path=/: elsewhere the visitor is unknown, and is drawn again.',
  },
  PERCH5012: {
    title: 'A cookie ends soon',
    remedy:
      'Give it a Max-Age longer than the release takes; browsers keep a cookie for 400 days at most. Who comes back later is drawn again.',
  },
  PERCH5013: {
    title: 'A cookie is not sent when visitors follow a link to the site',
    remedy: 'Set SameSite=Lax: with Strict the first page after a link from another site comes without the cookie, and is drawn again.',
  },
  PERCH5014: {
    title: 'A cookie has one value for all who get it',
    remedy:
      'It names the outcome of a draw, not the visitor: nothing tells who is next when the canary widens. Give each visitor a value of their own.',
  },
  PERCH5015: {
    title: 'One visitor’s id is given to others',
    remedy:
      'Most likely a shared cache keeps an answer with its Set-Cookie. Answers that set an id need Cache-Control: private, and the cache has to obey it.',
  },
  PERCH5020: {
    title: 'A shared cache may keep an answer that sets a cookie',
    remedy: 'Add Cache-Control: private, or no-store, to answers that set one: else a cache may give one visitor’s cookie to everyone.',
  },
  PERCH5021: {
    title: 'A shared cache may serve one version’s page to visitors of the other',
    remedy: 'Add Cache-Control: private to pages while a release runs. In a release of Perch that is `cache: private`.',
  },
  PERCH5022: {
    title: 'Answers come from a cache',
    remedy: 'A cache in front does not know who is on the canary: let pages of a released service pass it by while the release runs.',
  },
  PERCH5030: {
    title: 'The site takes over request ids that clients send',
    remedy: 'Let the edge replace x-request-id, as Envoy does by default: else a client chooses its own visitor id and version.',
  },
  PERCH5031: {
    title: 'Request ids are no UUIDs',
    remedy: 'Visitor ids are made of request ids that end in 12 hex digits. Let the gateway make them, and no proxy in front of it.',
  },
  PERCH5040: {
    title: 'The versions cannot be told apart',
    remedy:
      'Say what tells them: --version-header NAME, --version-cookie NAME, or --version-pattern with a group that takes the version from the page.',
  },
  PERCH5041: {
    title: 'Answers failed',
    remedy:
      'Errors of the server, time-outs and broken connections tell no version. Probe again when the site is well, or with a lower --rate.',
  },
  PERCH5042: {
    title: 'Too little was seen to judge',
    remedy: 'Send more visitors (--visitors) or more requests for each (--requests).',
  },
} as const satisfies Record<string, CodeEntry>;
