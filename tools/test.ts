// `npm test` runs what needs nothing but Node, without crashes and long runs; `npm run test:all` (`--all`) also provides Envoy, Chromium and nginx, and lets nothing be skipped.
// Other arguments go to vitest: `npm test -- src/core`, `npm test -- -t "bucket"`. The last line is "N passed, N failed".
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { REQUIREMENTS } from '../test/requirements.ts';
import { provideChromium } from './provide-chromium.ts';
import { provideEnvoy } from './provide-envoy.ts';
import { provideKubernetes } from './provide-kubernetes.ts';
import { provideNginx } from './provide-nginx.ts';
import { ROOT } from './repository.ts';
import { runCommand } from './run-command.ts';
import { filesToTryAgain, withSecondTry } from './second-try.ts';
import { summarizeTests, type TestReport } from './test-summary.ts';

function readReport(path: string): TestReport | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as TestReport;
  } catch {
    return undefined;
  }
}

const all = process.argv.includes('--all');
const filters = process.argv.slice(2).filter((argument) => argument !== '--all');
const env = { ...process.env };
if (all) {
  try {
    env[REQUIREMENTS.Envoy] = await provideEnvoy();
    env[REQUIREMENTS.Chromium] = await provideChromium();
    env[REQUIREMENTS.Nginx] = await provideNginx();
    const { etcd, apiserver, kubectl, helm, istiod, istioCrds, gatewayApiCrds } = await provideKubernetes();
    env[REQUIREMENTS.Etcd] = etcd;
    env[REQUIREMENTS.Kubernetes] = apiserver;
    env[REQUIREMENTS.Kubectl] = kubectl;
    env[REQUIREMENTS.Helm] = helm;
    env[REQUIREMENTS.IstioCrds] = istioCrds;
    env[REQUIREMENTS.GatewayApiCrds] = gatewayApiCrds;
    env[REQUIREMENTS.Istiod] = istiod;
    // As many as the claims of test/visits, test/statistics, test/crash and test/machine are made for; npm test has to be quick.
    env['PERCH_VISITORS'] ??= '20000';
    env['PERCH_VISITOR_STEPS'] ??= '10000000';
    env['PERCH_KILLS'] ??= '200';
    env['PERCH_CRASHES'] ??= '1000';
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    console.log('0 passed, 1 failed');
    process.exit(1);
  }
}

const isEveryDay = !all && filters.length === 0;
if (isEveryDay) {
  // Properties of many runs are most of what the unit tests take: a part of them will do for every day, and of all cutoffs each 11th.
  env['PERCH_PROPERTY_SHARE'] ??= '0.15';
  env['PERCH_CUTOFF_STRIDE'] ??= '11';
  // A crash takes its time, and so do waiting for deadlines and commands by the dozen; that of npm test goes to what changes more often.
  env['PERCH_LEFT_OUT'] ??= [
    'test/crash/**',
    'src/cli/completion/completion.test.ts',
    'src/cli/demo.test.ts',
    'src/cli/objects/objects.test.ts',
    'src/cli/watching/wait.test.ts',
    'test/several/one-edge.test.ts',
    'test/gateway/abuse.test.ts',
    'test/gateway/head-timeout.test.ts',
    'test/gateway/large-bodies.test.ts',
    'test/gateway/shutdown.test.ts',
    'src/demo/exposure-of-bookinfo.test.ts',
  ].join(',');
}

// Left to itself vitest keeps a core free, which on two of them is half the machine: too slow for every day. Before a landing that
// calm is worth its time.
const workers = all ? [] : [`--maxWorkers=${Math.max(2, availableParallelism() - 1)}`];

const folder = mkdtempSync(join(tmpdir(), 'perch-test-'));
const reportPath = join(folder, 'report.json');

async function runVitest(files: readonly string[]): Promise<{ readonly code: number; readonly report: TestReport | undefined }> {
  rmSync(reportPath, { force: true });
  const { code } = await runCommand(
    process.execPath,
    [
      `${ROOT}/node_modules/vitest/vitest.mjs`,
      'run',
      '--allowOnly=false',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${reportPath}`,
      ...workers,
      ...files,
    ],
    { cwd: ROOT, env, show: true },
  );
  return { code, report: readReport(reportPath) };
}

let { code, report } = await runVitest(filters);
const secondTry: string[] = [];
if (all && report !== undefined) {
  // Whole meshes on a machine that others share: what fails is tried once more by itself, with processes of its own, and said so.
  const files = filesToTryAgain(report);
  if (files.length > 0) {
    secondTry.push(...summarizeTests(report, code, false).notes.filter((note) => note.startsWith('failed: ')));
    console.log(`\nSecond try of ${files.length === 1 ? 'the file' : `the ${files.length} files`} that failed`);
    const second = await runVitest(files);
    if (second.report !== undefined) ({ code, report } = { code: second.code, report: withSecondTry(report, second.report) });
  }
}
const summary = summarizeTests(report, code, all);
rmSync(folder, { recursive: true, force: true });
for (const note of secondTry) console.log(`first try ${note}`);
for (const note of summary.notes) console.log(note);
if (isEveryDay) console.log('left out: test/crash, and files that run for long (tools/test.ts names them): npm run test:all has them');
console.log(`${summary.passed} passed, ${summary.failed} failed`);
process.exitCode = summary.ok ? 0 : 1;
