import { z } from 'zod';
import { parseDuration } from './duration.ts';
import { CIPHER_SUITES, CREDENTIAL_NAME } from './server-tls.ts';

/**
 * What the embedded gateway interprets of Istio's networking resources (istio/api networking/v1), with strict mappings: a field that is not
 * here is unknown, or not supported yet (not-yet.ts). Each `error` is read after "must be". Rules over several fields are in *-rules.ts.
 */

const mapping = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape, { error: (issue) => (issue.code === 'unrecognized_keys' ? undefined : 'a mapping') });
const list = <Item extends z.ZodType>(item: Item) => z.array(item, { error: 'a list' });
const text = z.string({ error: 'text' });
const nonEmpty = text.min(1, { error: 'text that is not empty' });
const ON_A_LINE = 'text without spaces and control characters';
/** What becomes part of a request line or a Location: it must not end there, or begin another line. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const onALine = text.regex(/^[^\x00-\x20\x7f]*$/, { error: ON_A_LINE });
const flag = z.boolean({ error: 'true or false' });
const labels = z.record(z.string(), text, { error: 'a mapping of text to text' });

const PORT = 'a port number from 1 to 65535';
const portNumber = z.int({ error: PORT }).min(1, { error: PORT }).max(65535, { error: PORT });
const WEIGHT = 'a whole number from 0';
const weight = z
  .int({ error: WEIGHT })
  .min(0, { error: WEIGHT })
  .max(2 ** 32 - 1, { error: WEIGHT });
const DURATION = 'a duration of whole milliseconds, at least 1ms, such as 500ms or 3s';
const duration = z.string({ error: DURATION }).refine(
  (value) => {
    const ms = parseDuration(value);
    return ms !== undefined && ms >= 1 && Number.isInteger(ms);
  },
  { error: DURATION },
);

/** In lower case, too, as Istio reads it. */
const protocol = z.enum(['HTTP', 'HTTP2', 'GRPC', 'http', 'http2', 'grpc'], { error: 'HTTP, HTTP2 or GRPC' });
const serverProtocol = z.enum([...protocol.options, 'HTTPS', 'https'], { error: 'HTTP, HTTPS, HTTP2 or GRPC' });

const tlsVersion = z.enum(['TLS_AUTO', 'TLSV1_2', 'TLSV1_3'], { error: 'TLSV1_2, TLSV1_3 or TLS_AUTO' });
/** `tls` of a Gateway's server; which of them go together is object-rules.ts. */
const serverTls = mapping({
  httpsRedirect: flag.optional(),
  mode: z.enum(['SIMPLE', 'MUTUAL'], { error: 'SIMPLE or MUTUAL' }).optional(),
  credentialName: text.regex(CREDENTIAL_NAME, { error: 'the name of a Secret' }).optional(),
  serverCertificate: nonEmpty.optional(),
  privateKey: nonEmpty.optional(),
  caCertificates: nonEmpty.optional(),
  minProtocolVersion: tlsVersion.optional(),
  maxProtocolVersion: tlsVersion.optional(),
  cipherSuites: list(z.enum(CIPHER_SUITES, { error: 'a cipher suite of TLS 1.2 that Istio knows' })).optional(),
});

const STRING_MATCH = 'a mapping with one of exact, prefix, regex';
const exact = mapping({ exact: text });
const prefix = mapping({ prefix: text });
const regex = mapping({ regex: text });
const stringMatch = z.union([exact, prefix, regex], { error: STRING_MATCH });
const headerMatch = z.union([exact, prefix, regex, mapping({})], { error: `${STRING_MATCH}, or {} for presence` });
const headerMatches = z.record(z.string(), headerMatch, { error: 'a mapping of names to matches' });

const operations = mapping({
  set: z.record(z.string(), text, { error: 'a mapping of header names to values' }).optional(),
  add: z.record(z.string(), text, { error: 'a mapping of header names to values' }).optional(),
  remove: list(nonEmpty).optional(),
});
const headers = mapping({ request: operations.optional(), response: operations.optional() });

const match = mapping({
  name: text.optional(),
  uri: stringMatch.optional(),
  ignoreUriCase: flag.optional(),
  method: stringMatch.optional(),
  authority: stringMatch.optional(),
  scheme: stringMatch.optional(),
  headers: headerMatches.optional(),
  withoutHeaders: headerMatches.optional(),
  queryParams: headerMatches.optional(),
  port: portNumber.optional(),
  gateways: list(nonEmpty).optional(),
});

const destination = mapping({
  host: nonEmpty,
  subset: nonEmpty.optional(),
  port: mapping({ number: portNumber }).optional(),
});

/** One rule of `spec.http`. */
export const httpRoute = mapping({
  name: text.optional(),
  match: list(match).optional(),
  route: list(mapping({ destination, weight: weight.optional(), headers: headers.optional() })).optional(),
  redirect: mapping({
    uri: onALine.optional(),
    authority: onALine.optional(),
    scheme: z.enum(['http', 'https']).optional(),
    port: portNumber.optional(),
    derivePort: z.enum(['FROM_PROTOCOL_DEFAULT', 'FROM_REQUEST_PORT']).optional(),
    redirectCode: z.literal([301, 302, 303, 307, 308]).optional(),
    prefixRewrite: onALine.optional(),
  }).optional(),
  directResponse: mapping({
    status: z
      .int({ error: 'a status from 200 to 599' })
      .min(200, { error: 'a status from 200 to 599' })
      .max(599, { error: 'a status from 200 to 599' }),
    body: z
      .union(
        [mapping({ string: text }), mapping({ bytes: text.regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/) })],
        {
          error: 'a mapping with one of string, or bytes in base64',
        },
      )
      .optional(),
  }).optional(),
  delegate: mapping({ name: nonEmpty, namespace: nonEmpty.optional() }).optional(),
  rewrite: mapping({
    uri: onALine.optional(),
    authority: onALine.min(1, { error: 'text that is not empty' }).optional(),
    uriRegexRewrite: mapping({ match: nonEmpty, rewrite: onALine }).optional(),
  }).optional(),
  timeout: duration.optional(),
  retries: mapping({ attempts: z.literal(0, { error: '0: the embedded gateway repeats failed connects only' }) }).optional(),
  headers: headers.optional(),
});

const exportTo = list(z.literal('*', { error: '*: the embedded gateway shows every object to everyone' })).optional();

/** The `spec` of a VirtualService, a delegate's among them; that rules do exactly one thing and others alike are http-route-rules.ts. */
export const virtualServiceSpec = mapping({
  hosts: list(nonEmpty).optional(),
  gateways: list(nonEmpty).optional(),
  http: list(httpRoute).min(1, { error: 'a list with at least one rule' }),
  exportTo,
});

/** The `spec` of a Gateway. */
export const gatewaySpec = mapping({
  selector: labels.optional(),
  servers: list(
    mapping({
      port: mapping({
        number: portNumber,
        name: nonEmpty,
        protocol: serverProtocol,
        targetPort: portNumber.optional(),
      }),
      bind: nonEmpty.optional(),
      tls: serverTls.optional(),
      hosts: list(nonEmpty).min(1, { error: 'a list with at least one host' }),
      name: text.optional(),
    }),
  ).min(1, { error: 'a list with at least one server' }),
});

const PERCENTAGE = 'a whole number from 0 to 100';
const percentage = z.int({ error: PERCENTAGE }).min(0, { error: PERCENTAGE }).max(100, { error: PERCENTAGE });

const trafficPolicy = mapping({
  outlierDetection: mapping({
    consecutive5xxErrors: weight.optional(),
    consecutiveGatewayErrors: weight.optional(),
    interval: duration.optional(),
    baseEjectionTime: duration.optional(),
    maxEjectionPercent: percentage.optional(),
    minHealthPercent: percentage.optional(),
  }).optional(),
});

/** The `spec` of a DestinationRule: subsets, and of traffic policies when endpoints are ejected. */
export const destinationRuleSpec = mapping({
  host: nonEmpty,
  trafficPolicy: trafficPolicy.optional(),
  subsets: list(mapping({ name: nonEmpty, labels: labels.optional(), trafficPolicy: trafficPolicy.optional() })).optional(),
  exportTo,
});

const workload = {
  address: nonEmpty,
  ports: z.record(z.string(), portNumber, { error: 'a mapping of port names to numbers' }).optional(),
  labels: labels.optional(),
};

/** The `spec` of a WorkloadEntry; endpoints of a ServiceEntry have the same fields. */
export const workloadEntrySpec = mapping(workload);

/** The `spec` of a ServiceEntry: endpoints with addresses, no DNS. */
export const serviceEntrySpec = mapping({
  hosts: list(nonEmpty).min(1, { error: 'a list with at least one host' }),
  location: z.enum(['MESH_INTERNAL', 'MESH_EXTERNAL']).optional(),
  resolution: z.literal('STATIC', { error: 'STATIC: the embedded gateway takes endpoints with addresses only' }),
  ports: list(
    mapping({
      number: portNumber,
      name: nonEmpty,
      protocol: protocol.optional(),
      targetPort: portNumber.optional(),
    }),
  ).min(1, { error: 'a list with at least one port' }),
  endpoints: list(mapping(workload)).optional(),
  workloadSelector: mapping({ labels }).optional(),
  exportTo,
});
