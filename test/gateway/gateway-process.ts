import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A gateway in a process of its own, whose memory is nobody else's. */
export interface GatewayProcess {
  readonly ingress: number;
  /** Most memory that the process ever had resident, bytes. */
  peakMemory(): Promise<number>;
  close(): Promise<void>;
}

async function answer(child: ChildProcess): Promise<number> {
  const [value] = (await once(child, 'message')) as [number];
  return value;
}

/** Starts one that forwards everything to a port of this machine. */
export async function startGatewayProcess(upstreamPort: number): Promise<GatewayProcess> {
  const child = fork(fileURLToPath(new URL('./gateway-child.ts', import.meta.url)), [String(upstreamPort)], { execArgv: [] });
  const ingress = await answer(child);
  return {
    ingress,
    peakMemory: async () => {
      child.send('peak');
      return answer(child);
    },
    close: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}
