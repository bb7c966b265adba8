import { PerchProcess } from './perch-process.ts';

/** A `perch serve` at work, on free ports. */
export interface Serving {
  readonly process: PerchProcess;
  /** For PERCH_SERVER. */
  readonly server: string;
  /** Origin at which browsers come in; empty where the files have no Gateway. */
  readonly ingress: string;
  /** Origin of the mesh's listener; empty where no service has a port. */
  readonly mesh: string;
}

/** Options that keep every listener of `perch serve` off fixed ports: the ingress declares 8080, services declare 9080. */
export const FREE_PORTS: readonly string[] = ['--api-port', '0', '--map', '8080=0', '--map', '9080=0', '--proxy-port', '0'];

/** Starts `perch serve` as a process of its own and waits until it says where it listens. */
export async function startServing(
  args: readonly string[],
  started?: (process: PerchProcess) => void,
  within: readonly string[] = [],
): Promise<Serving> {
  const process = new PerchProcess(['serve', ...FREE_PORTS, ...args], {}, within);
  started?.(process);
  const [, server = ''] = await process.until(/ API +(http:\/\/[^/\n]+)/);
  // The last of the lines.
  await process.until(/ proxy +http\S+\n/);
  const origin = (kind: string): string => new RegExp(` ${kind} +(https?://\\S+)`).exec(process.stdout)?.[1] ?? '';
  return { process, server, ingress: origin('ingress'), mesh: origin('mesh') };
}
