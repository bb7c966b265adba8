import { execFileSync, spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { perchOnPath } from '../../../test/harness/perch-on-path.ts';
import { perch } from '../../../test/harness/perch-process.ts';
import { createScene, type Scene } from '../../../test/harness/serve-scene.ts';
import type { Serving } from '../../../test/harness/serving.ts';
import { webReleaseYaml } from '../../../test/harness/web-manifests.ts';
import { COMPLETE, SHELLS } from './completion-script.ts';

let scene: Scene;
let served: Serving;
let path: string;

beforeAll(async () => {
  scene = await createScene();
  served = await scene.serve('-f', scene.files);
  const release = join(scene.dir, 'release.yaml');
  await writeFile(release, webReleaseYaml());
  await perch(['apply', '-f', release], { PERCH_SERVER: served.server });
  path = await perchOnPath(scene.dir);
});

afterAll(async () => {
  await scene.close();
});

/** The candidates after `perch`, without what is said about them; `:files` where paths may follow. */
async function candidates(line: string, server = served.server): Promise<readonly string[]> {
  const { code, stdout, stderr } = await perch([COMPLETE, ...line.split(' ')], { PERCH_SERVER: server });
  expect([code, stderr]).toEqual([0, '']);
  return stdout
    .split('\n')
    .filter((text) => text !== '')
    .map((text) => text.split('\t')[0] ?? '');
}

describe('what can follow', () => {
  test.each([
    ['st', ['status']],
    ['re', ['resume', 'rollback', 'retry', 'render'].filter((name) => name.startsWith('re'))],
    ['help st', ['status']],
    ['explain --he', ['--help']],
    ['status --wa', ['--watch', '--wait']],
    ['status --wait suc', ['succeeded']],
    ['status --wait=suc', ['--wait=succeeded']],
    ['status --wait = suc', ['succeeded']],
    ['get -o ', ['json', 'yaml', 'wide', 'name']],
    ['completion ', ['bash', 'zsh', 'fish']],
    ['get ', ['release', 'virtualservice', 'destinationrule', 'gateway', 'serviceentry', 'workloadentry']],
    ['get -o yaml ga', ['gateway']],
    ['explain PERCH110', ['PERCH1101', 'PERCH1102', 'PERCH1103', 'PERCH1104', 'PERCH1105']],
    ['apply -f ', [':files']],
    ['apply -f a.yaml b', [':files']],
    ['serve --data ', [':files']],
    ['status ', ['web']],
    ['promote w', ['web']],
    ['status web ', []],
    ['get gw ', ['edge']],
    ['get gateway/', ['gateway/edge']],
    ['delete vs/web release/', ['release/web']],
    ['describe vs ', ['web']],
    ['status -n shop ', []],
    ['status -n ', ['default']],
    ['get nonsense ', []],
    ['nonsense ', expect.arrayContaining(['demo', 'get'])],
  ])('perch %s', async (line, expected) => {
    expect(await candidates(line)).toEqual(expected);
  });

  test('an address that bash has split at its colons', async () => {
    const split = served.server.replaceAll(':', ' : ');
    const nowhere = 'http://127.0.0.1:1';
    expect(await candidates(`--server ${split} get gw `, nowhere)).toEqual(['edge']);
    expect(await candidates(`get --server = ${split} gw `, nowhere)).toEqual(['edge']);
    expect(await candidates('get gw ', nowhere)).toEqual([]);
  });

  test('every command and every option of its help', async () => {
    const help = (await perch(['delete', '--help'])).stdout;
    const options = await candidates('delete --');
    for (const option of ['--file', '--restore-base', '--ignore-not-found', '--no-wait', '--namespace', '--server', '--help']) {
      expect(help).toContain(option);
      expect(options).toContain(option);
    }
  });

  test('is quiet where nothing listens, and where something else does', async () => {
    expect(await candidates('status ', 'http://127.0.0.1:1')).toEqual([]);
    expect(await candidates('status ', served.ingress)).toEqual([]);
    expect(await candidates('status ', 'ftp://nonsense')).toEqual([]);
  });
});

/** What a shell's own completion makes of a line, by its own means. */
const ASK = {
  bash: (line: string) => [
    '--norc',
    '--noprofile',
    '-c',
    `source <(perch completion bash); complete -p perch >/dev/null || exit 1
     COMP_LINE=${JSON.stringify(line)}; COMP_WORDS=(${line}); [[ $COMP_LINE == *" " ]] && COMP_WORDS+=("")
     COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 )); _perch perch "\${COMP_WORDS[COMP_CWORD]}"; printf '%s\\n' "\${COMPREPLY[@]}"`,
  ],
  fish: (line: string) => ['--no-config', '-c', `perch completion fish | source; complete -C ${JSON.stringify(line)}`],
} as const;

/** bash comes with every system that these suites run on; the others are tried where someone put them. */
const ABSENT = SHELLS.filter((shell) => shell !== 'bash' && spawnSync(shell, ['-c', 'true']).status !== 0);
const isInstalled = (shell: (typeof SHELLS)[number]): boolean => !ABSENT.includes(shell);
for (const shell of ABSENT) console.warn(`NOT TRIED: completion in a real ${shell}, which is not installed (apt-get install ${shell})`);

function ask(shell: keyof typeof ASK, line: string): readonly string[] {
  const text = execFileSync(shell, [...ASK[shell](line)], {
    cwd: scene.files,
    env: { ...process.env, PATH: path, PERCH_SERVER: served.server, HOME: scene.dir },
    encoding: 'utf8',
  });
  return text
    .split('\n')
    .filter((each) => each !== '')
    .map((each) => each.split('\t')[0] ?? '');
}

describe.each((['bash', 'fish'] as const).filter(isInstalled))('in a real %s', (shell) => {
  test.each([
    ['perch stat', ['status']],
    ['perch get ga', ['gateway']],
    ['perch promote ', ['web']],
    ['perch status --wait roll', ['rollingback', 'rolledback'].filter((phase) => phase.startsWith('roll'))],
    ['perch apply -f rou', ['routes.yaml']],
  ])('%s', (line, expected) => {
    expect(ask(shell, line)).toEqual(expected);
  });
});

test.each(SHELLS)('there is a script for %s', async (shell) => {
  const { code, stdout, stderr } = await perch(['completion', shell]);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toContain(`perch completion for ${shell}`);
});

test.each(SHELLS.filter(isInstalled))('the script for %s is what that shell can read', async (shell) => {
  const { stdout } = await perch(['completion', shell]);
  const script = join(scene.dir, `completion.${shell}`);
  await writeFile(script, stdout);
  expect(spawnSync(shell, ['-n', script], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
});
