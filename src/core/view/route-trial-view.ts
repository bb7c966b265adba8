import { z } from 'zod';

/** What of a trial's request may be how large. */
const MOST_HEADERS = 100;

/** A request to be tried on the routes. Nothing is sent anywhere. */
export const routeTrialRequest = z.strictObject({
  /** Where it comes in: from outside at a Gateway, or from a service in the mesh. */
  listener: z.enum(['ingress', 'mesh']),
  method: z.string().regex(/^[A-Z]{1,20}$/, 'a method such as GET'),
  /** `http://HOST[:PORT]/PATH?QUERY`; the port is a declared one, or where its listener really is. */
  url: z.string().min(1).max(8192),
  /** Names and values, a line each, as they would be sent; Host is that of the URL. */
  headers: z
    .array(z.tuple([z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/, 'a header name'), z.string().max(8192)]))
    .max(MOST_HEADERS, `at most ${MOST_HEADERS} headers`)
    .default([]),
  /** Sent as the visitor's cookie, or header, under the name that each release has for it. */
  visitorId: z.string().max(64).optional(),
});

/** A step of the way of a request. */
const trailLine = z.strictObject({
  kind: z.enum(['request', 'listener', 'host', 'rule', 'destination']),
  /** `namespace/name` of the VirtualService; absent where no rule of one is meant. */
  object: z.string().optional(),
  /** Name of the rule, or `rule N`; of several match blocks which. */
  rule: z.string().optional(),
  /** Whether the request goes on by it. */
  matched: z.boolean(),
  /** Why, for people. */
  text: z.string(),
});

/** A step of the way of a request, read off the schema. */
export type TrailLine = z.infer<typeof trailLine>;

const destination = z.strictObject({
  /** How often it is drawn; 100 where nothing is drawn. */
  percent: z.number(),
  host: z.string(),
  subset: z.string().optional(),
  port: z.number(),
  /** Absent where they are not known here. */
  endpoints: z.number().optional(),
});

/** The way of a request through the routes that are served. */
export const routeTrialView = z.strictObject({
  trail: z.array(trailLine),
  outcome: z.discriminatedUnion('kind', [
    /** Path and authority as they are sent on, after rewrites. `status` is there where the gateway answers, because no destination can. */
    z.strictObject({
      kind: z.literal('forward'),
      destinations: z.array(destination),
      path: z.string(),
      authority: z.string(),
      status: z.number().optional(),
    }),
    z.strictObject({ kind: z.literal('redirect'), status: z.number(), location: z.string() }),
    z.strictObject({ kind: z.literal('direct'), status: z.number() }),
    /** No virtual host or rule, a host that nothing declares in the mesh, or a request that is not taken. */
    z.strictObject({ kind: z.enum(['none', 'blocked', 'refused']), status: z.number() }),
  ]),
  /** The outcome, for people. */
  sentence: z.string(),
  /** What the routes that it was tried on leave out or take for granted, a sentence each; empty where they are those that are served. */
  notes: z.array(z.string()),
});

/** What `routeTrialView` describes. */
export type RouteTrialView = z.infer<typeof routeTrialView>;
