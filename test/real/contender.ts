// `node test/real/contender.ts KUBECONFIG NAME`: wants to lead, and while it does, counts up in the ConfigMap `count`. Says on stdout when it leads.
import { setTimeout as sleep } from 'node:timers/promises';
import { KubeClient, KubeError } from '../../src/cluster/kube/kube-client.ts';
import { kubeAccess } from '../../src/cluster/kube/kubeconfig.ts';
import { LeaderElection } from '../../src/cluster/kube/leader-election.ts';
import { CONTEST_TIMES } from './contest-times.ts';

interface Counter {
  readonly metadata: { readonly name: string; readonly resourceVersion?: string };
  readonly data: { readonly count: string; readonly by: string };
}

const [kubeconfig = '', identity = ''] = process.argv.slice(2);
const client = new KubeClient(kubeAccess({ kubeconfig }));
const path = '/api/v1/namespaces/default/configmaps/count';
const election = new LeaderElection({
  client,
  namespace: 'default',
  name: 'contest',
  identity,
  times: CONTEST_TIMES,
  onChange: (isLeading) => console.log(isLeading ? 'leads' : 'follows'),
  onError: (error) => console.error(error.message),
});

let known: Counter | undefined;
process.once('SIGTERM', () => void election.stop().then(() => process.exit(0)));
for (;;) {
  await sleep(10);
  if (!election.isLeading()) {
    known = undefined;
    continue;
  }
  try {
    known ??= (await client.request(path)) as Counter;
    // Between the question and the write a process may be stopped for any time.
    if (!election.isLeading()) continue;
    known = (await client.request(path, {
      method: 'PUT',
      body: { ...known, data: { count: String(Number(known.data.count) + 1), by: identity } },
    })) as Counter;
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    if (error.status === 409) console.log('refused');
    known = undefined;
  }
}
