// `npm run check`: types, format and lint, architecture, dead code; one line each. Stops at the first that fails and shows only its findings.
import { checkArchitecture, type Findings } from './architecture.ts';
import { ROOT, typeScriptFiles } from './repository.ts';
import { runCommand } from './run-command.ts';
import { checkTypes } from './type-check.ts';

async function runTool(script: string, args: readonly string[]): Promise<Findings> {
  const { code, output } = await runCommand(process.execPath, [`${ROOT}/node_modules/${script}`, ...args], { cwd: ROOT });
  return { ok: code === 0, text: output };
}

const steps: readonly { readonly name: string; readonly run: () => Promise<Findings> }[] = [
  { name: 'types', run: checkTypes },
  { name: 'format and lint', run: () => runTool('@biomejs/biome/bin/biome', ['check', '--error-on-warnings', '.']) },
  {
    name: 'architecture',
    run: () => checkArchitecture(ROOT, `${ROOT}/node_modules/dependency-cruiser/bin/dependency-cruiser.mjs`, typeScriptFiles()),
  },
  { name: 'dead code', run: () => runTool('knip/bin/knip.js', ['--no-progress']) },
];

for (const { name, run } of steps) {
  const start = performance.now();
  const { ok, text } = await run();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name.padEnd(16)} ${seconds.padStart(5)} s`);
  if (!ok) {
    console.log(text.trimEnd());
    process.exitCode = 1;
    break;
  }
}
