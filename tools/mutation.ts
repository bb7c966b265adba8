// `npm run mutation -- core/visitor [file.ts ...]`: mutation testing (Stryker) of a folder of src, or of some of its files, by the tests beside it.
// Options (--ignoreStatic, --force) go on to Stryker. Fails below a score of 90 %. Reports and what was found so far (a second run tests only what changed) are in reports/mutation.
import { basename } from 'node:path';
import { ROOT } from './repository.ts';
import { runCommand } from './run-command.ts';

const [folder = '', ...rest] = process.argv.slice(2);
const options = rest.filter((argument) => argument.startsWith('--'));
const files = rest.filter((argument) => !argument.startsWith('--'));
if (!/^[a-z]+(?:\/[a-z]+)*$/.test(folder)) {
  console.error('usage: npm run mutation -- FOLDER [FILE ...], as in: npm run mutation -- core/release machine.ts');
  process.exit(2);
}
const mutated = files.length > 0 ? files.map((file) => `src/${folder}/${basename(file)}`) : [`src/${folder}/**/*.ts`];
const { code } = await runCommand(
  process.execPath,
  [
    `${ROOT}/node_modules/@stryker-mutator/core/bin/stryker.js`,
    'run',
    '--mutate',
    [...mutated, `!src/${folder}/**/*.test.ts`, `!src/${folder}/**/*.cases.ts`].join(','),
    '--incrementalFile',
    `reports/mutation/${folder.replaceAll('/', '-')}.json`,
    ...options,
  ],
  { cwd: ROOT, env: { ...process.env, PERCH_MUTATED: folder }, show: true },
);
process.exitCode = code;
