// `npm run build`: compiles (arguments go to the compiler: `npm run build -- src/cli`) and bundles the dashboard.
import { bundleDashboard } from './bundle-dashboard.ts';
import { ROOT, TSC } from './repository.ts';
import { runCommand } from './run-command.ts';

const { code } = await runCommand(process.execPath, [TSC, '-b', ...process.argv.slice(2)], { cwd: ROOT, show: true });
if (code === 0) await bundleDashboard();
process.exitCode = code;
