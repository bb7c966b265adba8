import { PerchProcess } from '../harness/perch-process.ts';

/** How long routes take to be served where nobody asks istiod: no Envoy is there. */
const SETTLE = ['--settle', '200ms'];

/** Starts a `perch controller` with the rights of a kubeconfig; `options` come after those that nearly all tests have. */
export function startController(
  kubeconfig: string,
  options: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): PerchProcess {
  const settle = options.includes('--settle') ? [] : SETTLE;
  return new PerchProcess(['controller', '--kubeconfig', kubeconfig, ...settle, ...options], environment);
}

/** All that a controller said, but that it waits for an apiserver which has just been told of new kinds, as it should. */
export function saidBy({ stdout, stderr }: PerchProcess): string {
  return `${stdout}${stderr}`.replace(/^warning: .*: storage is \(re\)initializing; again in \d+ ms\n/gm, '');
}
