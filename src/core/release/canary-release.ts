import { z } from 'zod';
import type { KubeObject } from '../istio/resources.ts';
import { DURATION_PATTERN } from './durations.ts';
import { readinessSpec } from './readiness-spec.ts';
import { scalingSpec } from './scaling-spec.ts';
import { DURATION, duration, flag, LONGEST_DURATION, mapping, text, wholeNumber } from './schema-parts.ts';

/**
 * The CanaryRelease resource, `perch.dev/v1alpha1`: the one schema from which types, validation, defaults and
 * docs/reference/canary-release.md come. Descriptions are the reference page's text. Each `error` says what is expected, to be read
 * after "must be"; validate.ts makes sentences of them, and adds the rules that concern several fields.
 */

/** Group and version of the resource; no other one is read. */
export const API_VERSION = 'perch.dev/v1alpha1';
/** The kind of the resource; with `API_VERSION` it tells one from objects of other groups that happen to be called the same. */
export const KIND = 'CanaryRelease';

const subsetName = text('a subset name: lower-case letters, digits and hyphens, at most 63', /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/, 63);
const objectName = text(
  'an object name: lower-case letters, digits, hyphens and dots, at most 253',
  /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/,
  253,
);
const hostName = text('a host name as in an Istio destination', /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/, 253);
const portNumber = wholeNumber('a port number, 1 to 65535', 1, 65535);

const subsetVersion = mapping({ subset: subsetName.describe('A subset of the service’s DestinationRule.') });
const hostVersion = mapping({
  host: hostName.describe('Another host that serves this version; short names resolve as Istio does.'),
  port: portNumber.optional().describe('Its port; the service’s port where absent.'),
});
const version = z.union([subsetVersion, hostVersion], { error: 'a mapping with subset, or with host' });

const HOLD = `${DURATION}, or manual`;
const WEIGHT = 'a number over 0 and up to 100, in steps of 0.1';
const HEADER = 'a header name in lower case: letters, digits and hyphens, at most 64';
const headerName = text(HEADER, /^[a-z0-9](?:[a-z0-9-]{0,63})$/, 64);
const HEADER_VALUE = 'one of {exact: ...}, {prefix: ...} or {regex: ...}, at most 256 characters';
const headerText = z.string({ error: HEADER_VALUE }).min(1, { error: HEADER_VALUE }).max(256, { error: HEADER_VALUE });
const headerValue = z.union([mapping({ exact: headerText }), mapping({ prefix: headerText }), mapping({ regex: headerText })], {
  error: HEADER_VALUE,
});
/** More conditions than a match needs; rules go through all of them. */
const MOST_HEADERS = 10;

const pick = mapping({
  headers: z
    .record(headerName, headerValue, { error: 'a mapping of header names to values' })
    .refine((headers) => Object.keys(headers).length <= MOST_HEADERS, { error: `a mapping of at most ${MOST_HEADERS} headers` })
    .meta({ maxProperties: MOST_HEADERS })
    .describe('As in a VirtualService’s match: all of them have to hold. Names in lower case; not those by which visitors are known.'),
});

const step = mapping({
  weight: z
    .number({ error: WEIGHT })
    .min(0, { error: WEIGHT })
    .max(100, { error: WEIGHT })
    .multipleOf(0.1, { error: WEIGHT })
    .default(0)
    .describe('Share of visitors on the canary in percent, in steps of 0.1. Absent in a step with `match`.'),
  match: z
    .array(pick, { error: 'a list of matches' })
    .min(1, { error: 'a list with at least one match' })
    .max(10, { error: 'a list of at most 10 matches' })
    .optional()
    .describe(
      'Before the weights: nobody is drawn, but requests that one of these matches go to the canary, from this step on until the release ends.',
    ),
  hold: z
    .union([z.literal('manual'), text(HOLD, DURATION_PATTERN, LONGEST_DURATION)], { error: HOLD })
    .describe('How long the step lasts once its routes are confirmed (at most 90d), or `manual`: until someone promotes.'),
});

const LABEL = '[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?';
const COOKIE_DOMAIN = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);

const cookie = mapping({
  name: text('a cookie name of 1 to 14 letters, digits, _ or -', /^[A-Za-z0-9_-]{1,14}$/, 14)
    .default('perch')
    .describe('Name of the cookie, 1 to 14 letters, digits, `_` or `-`.'),
  maxAge: duration
    .default('400d')
    .describe('How long a browser keeps the id: whole seconds, at most 400d, which is the browsers’ own limit.'),
  path: text('an absolute path of letters, digits and . _ ~ - /', /^\/[A-Za-z0-9/._~-]*$/, 1024)
    .default('/')
    .describe('Path attribute: where browsers send the id.'),
  domain: text('a host name such as shop.example, without a leading dot', COOKIE_DOMAIN, 253)
    .optional()
    .describe(
      'Domain attribute: browsers send the id to this host and all below it, so that several sites share a visitor. Only to the host that issued it where absent.',
    ),
  secure: flag.optional().describe('Secure attribute; where absent, on where the Gateway’s server is HTTPS.'),
  httpOnly: flag.default(true).describe('HttpOnly attribute: scripts in the page cannot read the id.'),
  sameSite: z.enum(['Lax', 'Strict', 'None']).default('Lax').describe('SameSite attribute; `None` needs `secure: true`.'),
  partitioned: flag
    .default(false)
    .describe(
      'Partitioned attribute (CHIPS), for pages that other sites embed: a jar of its own, and another id, for each site around them. Needs a secure cookie.',
    ),
});

const issuingVirtualService = mapping({
  virtualService: objectName.describe('Name of a VirtualService, in the namespace of the release.'),
});
const issuingHttpRoute = mapping({
  httpRoute: objectName.describe(
    'Name of an HTTPRoute, in the namespace of the release: where `route.adopt.httpRoute` is one of the mesh.',
  ),
});

const visitorId = mapping({
  issueAt: z
    .union([issuingVirtualService, issuingHttpRoute], { error: 'a mapping with virtualService, or with httpRoute' })
    .optional()
    .describe('The route at whose gateway ids are issued; the routed object itself when that is bound to a gateway.'),
  from: mapping({ header: headerName.describe('Name of the header, in lower case.') })
    .optional()
    .describe(
      'Where the id is read instead of the cookie that Perch issues: a header that clients send already, with a UUID in lower case whose last 12 digits are random (a tenant’s, a user’s). Then nothing is issued, and all clients of one user agree.',
    ),
  issueOn: z
    .enum(['documents', 'all'])
    .default('documents')
    .describe(
      'Which requests without an id get one: pages (`Accept` has text/html, or `Sec-Fetch-Mode: navigate`), or all. Not with `canaryOnly`.',
    ),
  propagate: z
    .array(z.enum(['baggage', 'cookie', 'requestId']), { error: 'a list of baggage, cookie, requestId' })
    .min(1, { error: 'a list with at least one of baggage, cookie, requestId' })
    .max(3, { error: 'a list of at most baggage, cookie and requestId' })
    .default(['baggage', 'cookie'])
    .describe('How internal hops learn the cohort. `requestId` only behind apps that forward cookies too.'),
  cookie: cookie.prefault({}).describe('The cookie that carries the visitor id. Not with `canaryOnly`.'),
});

/** As long as in the article that the mode is from: 21,600 seconds. */
export const CANARY_COOKIE_AGE = '6h';

const CANARY_COOKIE_TEXT = '1 to 32 letters, digits, _ or -';
const canaryCookieText = text(CANARY_COOKIE_TEXT, /^[A-Za-z0-9_-]{1,32}$/, 32);

const affinity = mapping({
  mode: z
    .enum(['visitor', 'canaryOnly'])
    .default('visitor')
    .describe(
      '`visitor`: each visitor’s bucket decides. `canaryOnly`: requests are drawn by weight, and only who drew the canary gets a cookie and stays: refreshing draws again.',
    ),
  cookie: mapping({
    name: canaryCookieText.optional().describe('Its name: 1 to 32 letters, digits, `_` or `-`; `perch-NAME` of the release where absent.'),
    value: canaryCookieText
      .optional()
      .describe(
        'Its value: 1 to 32 letters, digits, `_` or `-`. Where absent, another one for each release, so that holders of an earlier release’s cookie are drawn anew; a value of your own has to change with each canary.',
      ),
    maxAge: duration
      .default(CANARY_COOKIE_AGE)
      .describe('How long a browser keeps it, and its holder stays on the canary: whole seconds, at most 400d. It is not renewed.'),
  })
    .optional()
    .describe('With `canaryOnly`: the cookie of those who drew the canary.'),
});

/** What is in the rules is Istio's: owned-route.ts judges them as those of a VirtualService. */
const httpRules = z
  .array(z.record(z.string(), z.unknown(), { error: 'a mapping' }), { error: 'a list of HTTP rules' })
  .min(1, { error: 'a list with at least one HTTP rule' });

const adoptedVirtualService = mapping({ virtualService: objectName.describe('A VirtualService, in the namespace of the release.') });
const adoptedHttpRoute = mapping({
  httpRoute: objectName.describe(
    'An HTTPRoute of Gateway API, in the namespace of the release, at gateways of Istio or in its mesh; versions are Services of their own then. In a cluster only.',
  ),
});
const adoptRoute = mapping({
  adopt: z
    .union([adoptedVirtualService, adoptedHttpRoute], { error: 'a mapping with virtualService, or with httpRoute' })
    .describe('Weave into a route that you have.'),
});
const delegateRoute = mapping({
  delegate: mapping({
    name: objectName.describe('Its name, in the namespace of the release: what the root’s `delegate` names.'),
    http: httpRules.describe('Rules as in a VirtualService: any fields of Istio’s HTTPRoute, as if no release were under way.'),
  }).describe('Own a delegate VirtualService, which a root VirtualService of yours names.'),
});
const managedRoute = mapping({
  managed: mapping({
    name: objectName.optional().describe('Its name, in the namespace of the release; the release’s own name where absent.'),
    hosts: z
      .array(z.string({ error: 'text' }), { error: 'a list of hosts' })
      .min(1, { error: 'a list of at least one host' })
      .describe('As in a VirtualService.'),
    gateways: z
      .array(z.string({ error: 'text' }), { error: 'a list of gateways' })
      .optional()
      .describe('As in a VirtualService; the mesh only where absent.'),
    http: httpRules.describe('Rules as in a VirtualService: any fields of Istio’s HTTPRoute, as if no release were under way.'),
  }).describe('Own a whole VirtualService.'),
});

const REVISION = 'a whole number from 0, or a text of 1 to 63 visible ASCII characters';
const COHORT = 'auto, or a whole number 0 to 3';

/** The schema of `spec`. Rules over several fields are in validate.ts. */
export const canaryReleaseSpec = mapping({
  service: mapping({
    host: hostName.describe('Short names resolve in the release’s namespace.'),
    port: portNumber.describe('Port of the service.'),
  }).describe('The service that is released, as in an Istio destination.'),
  canary: version.describe('The wanted version.'),
  stable: version
    .optional()
    .describe('The version before. Needed for the first release; later it may be left out, and must equal the live version when given.'),
  revision: z
    .union([z.int({ error: REVISION }).min(0, { error: REVISION }), text(REVISION, /^[!-~]{1,63}$/, 63)], { error: REVISION })
    .optional()
    .describe('A new value starts a new release of the same pair; best a whole number, so that clusters draw the same visitors.'),
  route: z
    .union([adoptRoute, delegateRoute, managedRoute], { error: 'a mapping with exactly one of adopt, delegate, managed' })
    .describe('Where the release is woven in: exactly one of the three.'),
  visitorId: visitorId.prefault({}).describe('How visitors are told apart.'),
  affinity: affinity.prefault({}).describe('How visitors stay put.'),
  cohort: z
    .union([z.literal('auto'), wholeNumber(COHORT, 0, 3)], { error: COHORT })
    .default('auto')
    .describe(
      'Which of the four independent draws decides: the same number for several releases picks the same visitors, on purpose. Not with `canaryOnly`.',
    ),
  cache: z
    .enum(['issuing', 'private'])
    .default('issuing')
    .describe(
      'Which responses get `Cache-Control: private`: those that issue an id or set the canary’s cookie, or all while a release runs.',
    ),
  optIn: mapping({
    parameter: text('a parameter name of 1 to 14 letters, digits, _ or -', /^[A-Za-z0-9_-]{1,14}$/, 14)
      .default('perch')
      .describe('Name of the parameter in links.'),
    maxAge: duration.default('7d').describe('How long a browser remembers the choice: whole seconds, at most 400d.'),
  })
    .optional()
    .describe(
      'Links by which a visitor chooses for themselves while a release is under way: `?perch=NAME:canary`, `?perch=NAME:stable`, and `?perch=NAME:auto` to take the choice back. Off where absent; taking it out takes back all choices.',
    ),
  suspend: flag
    .default(false)
    .describe(
      'While `true` nothing starts and nothing widens, and holds stop counting; everyone stays. Rollbacks still happen. May change at any time.',
    ),
  readiness: readinessSpec.prefault({}).describe('When a version can take visitors, and what happens when the canary cannot any more.'),
  scaling: scalingSpec
    .optional()
    .describe('How the Deployments of the versions are scaled beside the release, in a cluster. Perch touches no replicas where absent.'),
  steps: z
    .array(step, { error: 'a list of steps' })
    .min(1, { error: 'a list with at least one step' })
    .max(50, { error: 'a list of at most 50 steps' })
    .describe('The ramp: steps with `match` first, if any, then weights that strictly increase, the last one 100.'),
});

/** A spec after defaults. */
export type CanaryReleaseSpec = z.output<typeof canaryReleaseSpec>;
/** A version of the service: a subset, or another host. */
export type Version = z.output<typeof version>;

/** A CanaryRelease that passed validation: defaults filled in, namespace known. */
export interface CanaryRelease extends KubeObject {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: typeof KIND;
  readonly metadata: KubeObject['metadata'] & { readonly namespace: string };
  readonly spec: CanaryReleaseSpec;
}
