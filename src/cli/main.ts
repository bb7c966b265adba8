import { versionLine } from './perch-version.ts';

const args = process.argv.slice(2);
// Scripts ask for the version, and often; it needs no command line to be parsed, which takes as long to load as Node itself.
if (args.length === 1 && args[0] === 'version') {
  const { stdout } = process;
  stdout.on('error', async (error) => {
    const { outputError } = await import('./output-error.ts');
    const said = outputError(stdout, error);
    if (said === undefined) return;
    process.exitCode = 2;
    console.error(said);
  });
  stdout.write(`${versionLine()}\n`);
} else {
  const { runProcess } = await import('./run-process.ts');
  await runProcess();
}
