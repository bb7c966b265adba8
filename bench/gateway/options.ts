import { readCount, readNames, readOptions } from '../command-line.ts';
import { BODY_SIZES, type BodySize } from './body-size.ts';
import { PROXIES, type ProxyName } from './candidate.ts';
import { LOADS, type LoadKind } from './load.ts';

/** What to measure. */
export interface Plan {
  readonly rounds: number;
  /** Of each window. */
  readonly seconds: number;
  /** Seconds of full load on each proxy and size before anything is measured. */
  readonly warmUp: number;
  readonly only: readonly ProxyName[];
  readonly scheme: readonly ('on' | 'off')[];
  readonly sizes: readonly BodySize[];
  readonly loads: readonly LoadKind[];
  /** Whether the results are written to a file. */
  readonly record: boolean;
}

const SIZES = Object.keys(BODY_SIZES) as BodySize[];

const USAGE = `usage: node bench/gateway/run.ts [options]

CPU per proxied request and latency of Perch's gateway beside nginx, HAProxy and Envoy. README.md here says what it means.

  --only NAMES      proxies, by comma: nginx,haproxy,envoy,perch          (all)
  --scheme WHICH    with the visitor scheme, without, or both: on,off     (on,off)
  --sizes NAMES     GETs of 1 and 100 KB, a POST, TLS: 1k,100k,post,tls   (all)
  --loads NAMES     full: as fast as it goes; calm, paced: at a rate      (all)
  --rounds N        rounds, each with every proxy in another order        (8)
  --seconds N       length of each window                                 (2)
  --warm-up N       seconds of load before measuring, per proxy and size  (4)
  --record          write the results to results/DATE.md
  --help            this text

Examples
  node bench/gateway/run.ts --record                                       everything: about 20 minutes
  node bench/gateway/run.ts --only perch,envoy --scheme on --sizes 1k --loads full --rounds 4    one ratio, in a minute
`;

/** Reads the command line; the text to print where it asks for help. */
export function readPlan(args: readonly string[]): Plan | string {
  const values = readOptions(args, {
    only: { type: 'string', default: PROXIES.join(',') },
    scheme: { type: 'string', default: 'on,off' },
    sizes: { type: 'string', default: SIZES.join(',') },
    loads: { type: 'string', default: LOADS.join(',') },
    rounds: { type: 'string', default: '8' },
    seconds: { type: 'string', default: '2' },
    'warm-up': { type: 'string', default: '4' },
    record: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  if (values.help) return USAGE;
  return {
    rounds: readCount('rounds', values.rounds),
    seconds: readCount('seconds', values.seconds),
    warmUp: readCount('warm-up', values['warm-up']),
    only: readNames('only', values.only, PROXIES),
    scheme: readNames('scheme', values.scheme, ['on', 'off']),
    sizes: readNames('sizes', values.sizes, SIZES),
    loads: readNames('loads', values.loads, LOADS),
    record: values.record,
  };
}
