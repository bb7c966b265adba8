import { type Probed, type ProbeOptions, probeSite } from '../../src/cli/probing/probe-site.ts';
import { diagnoseSite, type SiteDiagnosis } from '../../src/core/probe/diagnose-site.ts';
import type { VersionSource } from '../../src/core/probe/version-telling.ts';

/** One at a time: the gateway's seeded draws then fall to the same visitors in every run. */
const QUICK: Omit<ProbeOptions, 'url'> = {
  visitors: 200,
  requests: 5,
  rate: 100_000,
  totalMs: 60_000,
  answerMs: 10_000,
  parallel: 1,
  capture: undefined,
  signal: new AbortController().signal,
};

/** Probes a site as fast as it answers. */
export async function probe(url: URL, options: Partial<ProbeOptions> = {}): Promise<Probed> {
  return await probeSite({ ...QUICK, url, ...options });
}

/** Probes a site and judges it. */
export async function examine(
  url: URL,
  source: VersionSource = { by: 'guess' },
  options: Partial<ProbeOptions> = {},
): Promise<SiteDiagnosis> {
  const { observations } = await probe(url, options);
  return diagnoseSite(observations, { source });
}

/** The codes of a diagnosis, each once, in order. */
export function codesOf({ findings }: SiteDiagnosis): readonly string[] {
  return [...new Set(findings.map(({ code }) => code))].toSorted();
}
