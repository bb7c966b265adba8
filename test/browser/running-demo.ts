import { randomUUID } from 'node:crypto';
import type { ReleaseStatus } from '../../src/core/release/status.ts';
import type { Finished } from '../harness/perch-process.ts';
import { PerchProcess, perch } from '../harness/perch-process.ts';

/** `perch demo` as a user starts it, on free ports, without synthetic visitors; its steps wait to be promoted. */
export interface RunningDemo {
  /** Address of the product page. */
  readonly page: string;
  /** The release's status. */
  status(): Promise<ReleaseStatus>;
  /** Widens the release to its next step; returns once the routes are in force. */
  promote(): Promise<ReleaseStatus>;
  /** Runs a perch command against this demo. */
  run(...args: readonly string[]): Promise<Finished>;
  close(): Promise<void>;
}

/** Starts the demo; resolves on its first step, 10 %. `mode` is its option. */
export async function startDemo(mode: 'visitor' | 'canaryOnly' = 'visitor'): Promise<RunningDemo> {
  const ports = ['--gateway-port', '0', '--api-port', '0'];
  const demo = new PerchProcess(['demo', ...ports, '--no-visitors', '--hold', 'manual', '--mode', mode]);
  try {
    const [, page = ''] = await demo.until(/Bookinfo +(http:\S+)/);
    const [, server = ''] = await demo.until(/API +(http:\/\/[^/]+)/);
    await demo.until(/reviews v1 → v2: Paused, step 1 of 4, 10 %/);
    const release = `${server}/api/v1/releases/default/reviews`;
    const status = async (): Promise<ReleaseStatus> => {
      const view = (await (await fetch(release)).json()) as { readonly status: ReleaseStatus };
      return view.status;
    };
    return {
      page,
      status,
      promote: async () => {
        const response = await fetch(`${release}/requests?wait=20000`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ id: randomUUID(), action: 'promote', by: 'browser test' }),
        });
        const answer = (await response.json()) as { readonly outcome?: string };
        if (answer.outcome !== 'done') throw new Error(`promote: ${response.status} ${JSON.stringify(answer)}`);
        return await status();
      },
      run: (...args) => perch(args, { PERCH_SERVER: server }),
      close: async () => {
        await demo.stop('SIGINT');
      },
    };
  } catch (error) {
    await demo.stop('SIGKILL');
    throw error;
  }
}
