import { isIP } from 'node:net';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ApiPlace } from '../server/access/api-place.ts';
import { CommandError } from './command-error.ts';

/** Where the API listens, as Commander gives it. */
export interface ApiPlaceOptions {
  readonly apiBind?: string;
  readonly apiHost?: readonly string[];
  readonly apiTlsCert?: string;
  readonly apiTlsKey?: string;
  readonly apiInsecureHttp?: true;
  readonly apiTokenFile?: string;
}

/** A name as in a Host header, without port. */
const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/i;

function parseAddress(text: string): string {
  if (isIP(text) === 0) throw new InvalidArgumentError('It is not an IP address such as 192.0.2.7, 0.0.0.0 (all of IPv4) or :: (all).');
  return text;
}

/** Host names, added to those of the option before. */
function collectHosts(text: string, before: readonly string[] = []): readonly string[] {
  if (!NAME.test(text)) throw new InvalidArgumentError('It is not a host name such as perch.example, without scheme and port.');
  return [...before, text.toLowerCase()];
}

/** Adds the options that open the API to others than this machine. */
export function addApiPlaceOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--api-bind <address>', 'the address of this machine that the API listens at (default: loopback)').argParser(parseAddress),
    )
    .addOption(new Option('--api-host <name>', 'a name by which the API is asked for there; repeatable').argParser(collectHosts))
    .option('--api-tls-cert <file>', 'its certificate, with the chain, in PEM; taken up when it changes')
    .option('--api-tls-key <file>', 'the key to it')
    .option('--api-insecure-http', 'plain HTTP there: something else encrypts')
    .option('--api-token-file <file>', 'who may ask: lines view TOKEN (may look) and act TOKEN; taken up when it changes');
}

/** What they say together. Throws CommandError where they contradict each other. */
export function apiPlaceOf(options: ApiPlaceOptions): Omit<ApiPlace, 'port'> {
  const {
    apiBind: bind,
    apiHost: hosts,
    apiTlsCert: cert,
    apiTlsKey: key,
    apiInsecureHttp: insecureHttp,
    apiTokenFile: tokenFile,
  } = options;
  if ((cert === undefined) !== (key === undefined)) throw new CommandError('--api-tls-cert and --api-tls-key go together');
  if (cert !== undefined && insecureHttp === true) {
    throw new CommandError('--api-insecure-http is plain HTTP, --api-tls-cert is TLS: give one of the two');
  }
  return {
    ...(bind === undefined ? {} : { bind }),
    ...(hosts === undefined ? {} : { hosts }),
    ...(cert === undefined || key === undefined ? {} : { tls: { cert, key } }),
    ...(insecureHttp === undefined ? {} : { insecureHttp }),
    ...(tokenFile === undefined ? {} : { tokenFile }),
  };
}
