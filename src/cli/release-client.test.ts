import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import type { PerchProcess } from '../../test/harness/perch-process.ts';
import { startServing } from '../../test/harness/serving.ts';
import { startVersion } from '../../test/harness/version-server.ts';
import { WEB_ROUTES_YAML, webBasicsYaml, webReleaseYaml } from '../../test/harness/web-manifests.ts';
import { ApiClient } from './api-client.ts';
import { RELEASE_CLIENT_CASES, type ReleaseClientScene } from './release-client.cases.ts';

describe('ApiClient at a perch serve', () => {
  const folder = mkdtempSync(join(tmpdir(), 'perch-release-client-'));
  let serving: PerchProcess | undefined;
  let scene: ReleaseClientScene;
  let close = async (): Promise<void> => {};

  beforeAll(async () => {
    const [v1, v2] = [await startVersion('v1'), await startVersion('v2')];
    const { server } = await startServing(['--data', join(folder, 'data')], (process) => {
      serving = process;
    });
    close = async () => {
      await Promise.all([v1.close(), v2.close()]);
    };
    scene = {
      client: new ApiClient(server, new AbortController().signal),
      basics: webBasicsYaml({ v1: v1.port, v2: v2.port }),
      routes: WEB_ROUTES_YAML,
      release: webReleaseYaml(),
      isConfined: false,
    };
  });
  afterAll(async () => {
    await serving?.stop('SIGKILL');
    await close();
    rmSync(folder, { recursive: true, force: true });
  });

  test.each(RELEASE_CLIENT_CASES)('$name', ({ run }) => run(scene));
});
