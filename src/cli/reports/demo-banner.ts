import type { AffinityMode } from '../../demo/demo-manifests.ts';
import type { Style } from '../terminal/style.ts';

/** What the demo's first lines say. */
export interface DemoFacts {
  readonly version: string;
  readonly gatewayPort: number;
  readonly apiPort: number;
  /** Whether commands find the API without `--server`. */
  readonly isDefaultApi: boolean;
  /** Number of synthetic visitors; 0: none. */
  readonly visitors: number;
  readonly mode: AffinityMode;
}

const INVITATION: Readonly<Record<AffinityMode, string>> = {
  visitor: 'refresh: you stay on your version until your turn comes',
  canaryOnly: 'refresh until reviews v2 appears: from then on it stays',
};

/** Addresses that work and commands to try: at most 80 columns, an empty line before them. */
export function demoBanner(facts: DemoFacts, style: Style): readonly string[] {
  const { version, gatewayPort, apiPort, isDefaultApi, visitors, mode } = facts;
  const server = isDefaultApi ? '' : ` --server http://localhost:${apiPort}`;
  return [
    '',
    `  ${style.bold(`perch ${version}`)} · demo · everything runs on this machine, Ctrl-C ends it`,
    '',
    `  Bookinfo    ${style.link(`http://localhost:${gatewayPort}/productpage`)}`,
    `              ${style.dim(INVITATION[mode])}`,
    `  Dashboard   ${style.link(`http://localhost:${apiPort}`)}`,
    `  API         ${style.link(`http://localhost:${apiPort}/api/v1/releases`)}`,
    `  Visitors    ${visitors === 0 ? 'only real ones: you' : `${visitors} synthetic ones keep it lively (--no-visitors)`}`,
    `  Try         ${style.link(`npx perch rollback reviews${server}`)}`,
    `              ${style.dim('or promote, pause, resume, status --watch, describe release')}`,
  ];
}
