import { cpus, release } from 'node:os';
import { ROOT } from '../../tools/repository.ts';
import { runCommand } from '../../tools/run-command.ts';

async function firstMatch(command: string, args: readonly string[], pattern: RegExp): Promise<string> {
  const { output } = await runCommand(command, args, { cwd: ROOT });
  return pattern.exec(output)?.[1] ?? 'unknown';
}

/** What a number from this bench depends on: hardware, kernel, versions of everything, and the commit. One line each. */
export async function describeMachine(envoy: string): Promise<readonly string[]> {
  const [nginx, envoyVersion, wrk, commit, changes] = await Promise.all([
    firstMatch('nginx', ['-v'], /nginx\/(\S+)/),
    firstMatch(envoy, ['--version'], /\/(\d+\.\d+\.\d+)\//),
    firstMatch('wrk', ['--version'], /wrk (\S+)/),
    firstMatch('git', ['rev-parse', '--short', 'HEAD'], /^(\w+)/),
    firstMatch('git', ['status', '--porcelain', '--', 'src', 'bench'], /^(.)/),
  ]);
  return [
    `${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${cpus().length} cores, Linux ${release()}`,
    `Node ${process.versions.node}, nginx ${nginx}, Envoy ${envoyVersion}, wrk ${wrk}`,
    `commit ${commit}${changes === 'unknown' ? '' : ' with local changes'}`,
  ];
}

/** Programs that the bench needs and this machine lacks, with how to get them on Debian. */
export async function missingPrograms(): Promise<readonly string[]> {
  const needed = [
    { program: 'nginx', args: ['-v'], from: 'apt-get install nginx-light' },
    { program: 'wrk', args: ['--version'], from: 'apt-get install wrk' },
    { program: 'taskset', args: ['--version'], from: 'apt-get install util-linux' },
  ];
  const results = await Promise.all(needed.map(async (each) => ({ ...each, ...(await runCommand(each.program, each.args)) })));
  return results.filter(({ code }) => code === 127).map(({ program, from }) => `${program} is not installed: ${from}`);
}
