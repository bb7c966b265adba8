import { cpus, release } from 'node:os';
import { ROOT } from '../tools/repository.ts';
import { runCommand } from '../tools/run-command.ts';

async function firstMatch(command: string, args: readonly string[], pattern: RegExp): Promise<string> {
  const { output } = await runCommand(command, args, { cwd: ROOT });
  return pattern.exec(output)?.[1] ?? 'unknown';
}

/** A program that a bench needs: how it tells its version, and how to get it on Debian. */
interface Program {
  readonly args: readonly string[];
  readonly version: RegExp;
  readonly from: string;
}

const PROGRAMS = {
  nginx: { args: ['-v'], version: /nginx\/(\S+)/, from: 'nginx-light' },
  haproxy: { args: ['-v'], version: /version (\S+)/, from: 'haproxy' },
  wrk: { args: ['--version'], version: /wrk (\S+)/, from: 'wrk' },
  openssl: { args: ['version'], version: /OpenSSL (\S+)/, from: 'openssl' },
  taskset: { args: ['--version'], version: /(\d\S+)/, from: 'util-linux' },
} as const satisfies Record<string, Program>;

/** One of the programs that this file knows. */
export type ProgramName = keyof typeof PROGRAMS;

/** What a number depends on: hardware, kernel, versions of everything, and the commit. One line each. `envoy`: its path, where it ran. */
export async function describeMachine(programs: readonly ProgramName[], envoy?: string): Promise<readonly string[]> {
  const versions = await Promise.all(
    programs.map(async (name) => `${name} ${await firstMatch(name, PROGRAMS[name].args, PROGRAMS[name].version)}`),
  );
  if (envoy !== undefined) versions.push(`Envoy ${await firstMatch(envoy, ['--version'], /\/(\d+\.\d+\.\d+)\//)}`);
  const commit = await firstMatch('git', ['rev-parse', '--short', 'HEAD'], /^(\w+)/);
  // What another bench has just recorded changes nothing.
  const measured = ['src', 'bench', 'bin', ':!bench/*/results'];
  const changes = await firstMatch('git', ['status', '--porcelain', '--', ...measured], /^(.)/);
  return [
    `${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${cpus().length} cores, Linux ${release()}  `,
    `${[`Node ${process.versions.node}`, ...versions].join(', ')}  `,
    `commit ${commit}${changes === 'unknown' ? '' : ' with local changes'}`,
  ];
}

/** Why these programs cannot run here, a line each, with what to install; none when all is there. */
export async function missingPrograms(programs: readonly ProgramName[]): Promise<readonly string[]> {
  if (process.platform !== 'linux' || cpus().length < 2) {
    return ['This bench needs Linux with at least two cores: one for the proxies, one for the load.'];
  }
  const found = await Promise.all(programs.map(async (name) => ({ name, ...(await runCommand(name, PROGRAMS[name].args)) })));
  return found.filter(({ code }) => code === 127).map(({ name }) => `${name} is not installed: apt-get install ${PROGRAMS[name].from}`);
}
