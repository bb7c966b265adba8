/** Environment variables as a record, such as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where a service is called: a host name of the mesh and a port. */
export interface Upstream {
  readonly host: string;
  readonly port: number;
}

/**
 * Where Bookinfo's environment says that a service is: `<NAME>_HOSTNAME` (default: the name), with `SERVICES_DOMAIN` behind it
 * when set, and `<NAME>_SERVICE_PORT` (default 9080). Throws on a port that is no number.
 */
export function upstreamFrom(env: Environment, name: 'details' | 'ratings' | 'reviews'): Upstream {
  const prefix = name.toUpperCase();
  const domain = env['SERVICES_DOMAIN'];
  const host = env[`${prefix}_HOSTNAME`] ?? name;
  const port = Number(env[`${prefix}_SERVICE_PORT`] ?? 9080);
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new Error(`${prefix}_SERVICE_PORT is not a port number`);
  return { host: domain === undefined || domain === '' ? host : `${host}.${domain}`, port };
}
