import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PerchProcess } from './perch-process.ts';
import { type Serving, startServing } from './serving.ts';
import { startVersion } from './version-server.ts';
import { WEB_ROUTES_YAML, webBasicsYaml } from './web-manifests.ts';

/** A directory with a shop in it: a gateway, routes to `web`, its endpoints, and a release of v2 with manual steps. */
export interface Scene {
  /** Where everything of the test lives. */
  readonly dir: string;
  /** The manifests; `perch serve -f` gets this one. */
  readonly files: string;
  readonly data: string;
  /** Starts `perch serve` on free ports, with further arguments. */
  serve(...args: readonly string[]): Promise<Serving>;
  close(): Promise<void>;
}

/** Writes the manifests and starts both versions of `web`, each of which answers with its name. */
export async function createScene(): Promise<Scene> {
  const dir = await mkdtemp(join(tmpdir(), 'perch-cli-'));
  const files = join(dir, 'manifests');
  const data = join(dir, 'data');
  const [v1, v2] = [await startVersion('v1'), await startVersion('v2')];
  await mkdir(files);
  await writeFile(join(files, 'basics.yaml'), webBasicsYaml({ v1: v1.port, v2: v2.port }));
  await writeFile(join(files, 'routes.yaml'), WEB_ROUTES_YAML);
  const running: PerchProcess[] = [];
  return {
    dir,
    files,
    data,
    serve: (...args) => startServing(['--data', data, ...args], (process) => running.push(process)),
    close: async () => {
      await Promise.all(running.map((process) => process.stop('SIGKILL')));
      await Promise.all([v1.close(), v2.close()]);
      await rm(dir, { recursive: true, force: true });
    },
  };
}
