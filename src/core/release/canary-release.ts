import { z } from 'zod';
import type { KubeObject } from '../istio/resources.ts';

/**
 * The CanaryRelease resource, `perch.dev/v1alpha1`: the one schema from which types, validation, defaults and
 * docs/reference/canary-release.md come. Descriptions are the reference page's text.
 */

export const API_VERSION = 'perch.dev/v1alpha1';
export const KIND = 'CanaryRelease';

const dnsLabel = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'a DNS label: lower-case letters, digits and hyphens, at most 63');
const objectName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'a Kubernetes name: lower-case letters, digits, hyphens and dots');
const hostName = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'a host name, as in an Istio destination');
const portNumber = z.int().min(1).max(65535);

/** Go-style durations, as Istio writes them: `300ms`, `10m`, `1h30m`; `d` for days is ours. */
const duration = z.string().regex(/^(\d+(\.\d+)?(ms|s|m|h|d))+$/, 'a duration such as 30s, 10m or 1h30m');

const subsetVersion = z.strictObject({ subset: dnsLabel.describe('A subset of the service’s DestinationRule.') });
const hostVersion = z.strictObject({
  host: hostName.describe('Another host that serves this version.'),
  port: portNumber.optional().describe('Its port; default: the service’s.'),
});
const version = z.union([subsetVersion, hostVersion]);

const step = z.strictObject({
  weight: z.number().gt(0).max(100).multipleOf(0.1).describe('Share of visitors on the canary in percent, in steps of 0.1.'),
  hold: z
    .union([z.literal('manual'), duration])
    .describe('How long the step lasts once its routes are confirmed, or `manual`: until someone promotes.'),
});

const cookie = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,14}$/, '1 to 14 letters, digits, _ or -')
    .default('perch')
    .describe('Name of the visitor id cookie.'),
  maxAge: duration.default('400d').describe('How long a browser keeps the id; browsers cap it at 400 days.'),
  path: z
    .string()
    .regex(/^\/[A-Za-z0-9/._~-]*$/, 'an absolute path without ; or spaces')
    .default('/')
    .describe('Path attribute.'),
  secure: z
    .union([z.literal('auto'), z.boolean()])
    .default('auto')
    .describe('Secure attribute; auto: on where the Gateway’s server is HTTPS.'),
  httpOnly: z.boolean().default(true).describe('HttpOnly attribute.'),
  sameSite: z.enum(['Lax', 'Strict', 'None']).default('Lax').describe('SameSite attribute.'),
});

const visitorId = z.strictObject({
  issueAt: z
    .strictObject({ virtualService: objectName })
    .optional()
    .describe('The VirtualService at whose gateway ids are issued; default: the routed object itself when it is bound to a gateway.'),
  issueOn: z.enum(['documents', 'all']).default('documents').describe('Which requests without an id get one.'),
  propagate: z
    .array(z.enum(['baggage', 'cookie', 'requestId']))
    .min(1)
    .default(['baggage', 'cookie'])
    .describe('How internal hops learn the cohort.'),
  cookie: cookie.prefault({}).describe('The cookie that carries the visitor id.'),
});

export const canaryReleaseSpec = z.strictObject({
  service: z
    .strictObject({ host: hostName, port: portNumber })
    .describe('The service that is released, as in an Istio destination; short names resolve in the object’s namespace.'),
  canary: version.describe('The wanted version.'),
  stable: version.optional().describe('The version before; optional from the second release on, when it must equal the live version.'),
  revision: z
    .union([z.int().min(0), z.string().min(1).max(63)])
    .optional()
    .describe('A new value starts a new release of the same pair; best an integer.'),
  route: z
    .strictObject({ adopt: z.strictObject({ virtualService: objectName }).describe('Weave into the user’s own VirtualService.') })
    .describe('Where the release is woven in.'),
  visitorId: visitorId.prefault({}).describe('How visitors are told apart.'),
  affinity: z
    .strictObject({ mode: z.enum(['visitor']).default('visitor').describe('visitor: each visitor’s bucket decides.') })
    .prefault({})
    .describe('How visitors stay put.'),
  cohort: z
    .union([z.literal('auto'), z.int().min(0).max(3)])
    .default('auto')
    .describe('Which of the four independent draws decides: the same number for several releases picks the same visitors.'),
  cache: z
    .enum(['issuing', 'private'])
    .default('issuing')
    .describe('Which responses get Cache-Control: private: those that issue an id, or all of both cohorts.'),
  steps: z.array(step).min(1).max(50).describe('The ramp: weights strictly increase to 100.'),
});

/** A spec after defaults. */
export type CanaryReleaseSpec = z.output<typeof canaryReleaseSpec>;
/** A version of the service: a subset, or another host. */
export type Version = z.output<typeof version>;
export type ReleaseStep = z.output<typeof step>;

/** A CanaryRelease that passed validation: defaults filled in, namespace known. */
export interface CanaryRelease extends KubeObject {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: typeof KIND;
  readonly metadata: KubeObject['metadata'] & { readonly namespace: string };
  readonly spec: CanaryReleaseSpec;
}
