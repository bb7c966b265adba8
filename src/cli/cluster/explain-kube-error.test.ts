import { expect, test } from 'vitest';
import { KubeError, NO_CREDENTIALS } from '../../cluster/kube/kube-client.ts';
import { explainKubeError } from './explain-kube-error.ts';

const PLACE = { url: 'https://api.test', context: 'staging' };
const WHERE = 'the cluster at https://api.test (context staging)';
const RELEASES = '/apis/perch.dev/v1alpha1/namespaces/shop/canaryreleases';
const forbidden = (verb: string, resource: string, group: string, where: string): KubeError =>
  new KubeError(
    `${RELEASES}: ${resource}.${group} is forbidden: User "ada" cannot ${verb} resource "${resource}" in API group "${group}" ${where}`,
    { status: 403, reason: 'Forbidden' },
  );

test.each<[string, KubeError, string, string]>([
  [
    'a right to look',
    forbidden('list', 'canaryreleases', 'perch.dev', 'in the namespace "shop"'),
    'NotAllowedError',
    'ada may not list canaryreleases in namespace shop: ask whoever runs the cluster for the role perch-viewer there',
  ],
  [
    'a right to look everywhere',
    forbidden('list', 'canaryreleases', 'perch.dev', 'at the cluster scope'),
    'NotAllowedError',
    'ada may not list canaryreleases of all namespaces: name a namespace with -n, or ask whoever runs the cluster for the role perch-viewer in the whole cluster',
  ],
  [
    'a right to change releases',
    forbidden('patch', 'canaryreleases', 'perch.dev', 'in the namespace "shop"'),
    'NotAllowedError',
    'ada may not change canaryreleases in namespace shop: ask whoever runs the cluster for the role perch-author there',
  ],
  [
    'a right that is not ours to give',
    forbidden('create', 'virtualservices', 'networking.istio.io', 'in the namespace "shop"'),
    'NotAllowedError',
    'ada may not create virtualservices in namespace shop: ask whoever runs the cluster for that right',
  ],
  [
    'a webhook’s own words',
    new KubeError(`${RELEASES}: admission webhook "x.test" denied the request: not on Fridays`, { status: 403, reason: 'Forbidden' }),
    'NotAllowedError',
    'the cluster does not allow it: not on Fridays (webhook x.test)',
  ],
  [
    'a policy’s own words',
    new KubeError(
      `${RELEASES}/web: canaryreleases.perch.dev "web" is forbidden: ValidatingAdmissionPolicy 'perch-authors' with binding 'perch-authors' denied request: this changes routes that bob may not change: in namespace shop they lack the right to update virtualservices/web`,
      { status: 403, reason: 'Forbidden' },
    ),
    'NotAllowedError',
    'the cluster does not allow it: this changes routes that bob may not change: in namespace shop they lack the right to update virtualservices/web (policy perch-authors)',
  ],
  [
    'any other refusal',
    new KubeError(`${RELEASES}: not today`, { status: 403, reason: 'Forbidden' }),
    'NotAllowedError',
    'the cluster does not allow it: not today',
  ],
  [
    'a stranger',
    new KubeError(`${RELEASES}: Unauthorized`, { status: 401, reason: 'Unauthorized' }),
    'NotAllowedError',
    `${WHERE} does not know who you are: log in again, or name another with --context NAME, or an embedded runtime with --server URL`,
  ],
  [
    'a program for credentials that is not there',
    new KubeError('no credentials: spawn x', { status: 0, reason: NO_CREDENTIALS, cause: new Error('spawn login ENOENT') }),
    'NotAllowedError',
    `the kubeconfig lets nobody into ${WHERE}: spawn login ENOENT; log in again, or name another with --context NAME, or an embedded runtime with --server URL`,
  ],
  [
    'nobody there',
    new KubeError('/api: connect', { status: 0, cause: Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }) }),
    'CommandError',
    `cannot reach ${WHERE}: nothing listens there; name another with --context NAME, or an embedded runtime with --server URL`,
  ],
  [
    'our kind missing',
    new KubeError(`${RELEASES}: status 404`, { status: 404 }),
    'CommandError',
    `${WHERE} does not know canaryreleases (perch.dev): apply deploy/crd.yaml`,
  ],
  [
    'Istio’s kinds missing',
    new KubeError('/apis/networking.istio.io/v1/gateways: status 404', { status: 404 }),
    'CommandError',
    `${WHERE} does not know gateways (networking.istio.io): apply Istio’s CustomResourceDefinitions`,
  ],
  [
    'anything else',
    new KubeError(`${RELEASES}: etcdserver: request timed out`, { status: 500, reason: 'InternalError' }),
    'CommandError',
    `${WHERE} refuses: etcdserver: request timed out`,
  ],
])('%s', (_, error, kind, message) => {
  const explained = explainKubeError(error, PLACE);
  expect([(explained as Error).constructor.name === 'NotAllowedError', (explained as Error).message]).toEqual([
    kind === 'NotAllowedError',
    message,
  ]);
});

test('what is no answer of an apiserver stays as it is', () => {
  const bug = new TypeError('x is undefined');
  expect(explainKubeError(bug, PLACE)).toBe(bug);
});
