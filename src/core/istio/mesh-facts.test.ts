import { describe, expect, it } from 'vitest';
import { type MeshFacts, meshFindings, requestIdsOfFilter, requestIdsOfMeshConfig } from './mesh-facts.ts';

const FACTS: MeshFacts = {
  istioVersions: ['1.32.0'],
  requestIds: [],
  service: 'shop/reviews',
  namespaceLabels: {},
  serviceLabels: {},
  pods: [],
};
const AMBIENT = { 'istio.io/dataplane-mode': 'ambient' };
const WAYPOINT = { 'istio.io/use-waypoint': 'waypoint' };
const INSIDE = { gateway: false, mesh: true };
const EDGE = { gateway: true, mesh: false };

function codes(facts: Partial<MeshFacts>, at: { gateway: boolean; mesh: boolean }): readonly string[] {
  return meshFindings({ ...FACTS, ...facts }, at).map(({ code, severity }) => `${severity} ${code}`);
}

it('a version of its own name needs a waypoint, too, and is told apart', () => {
  const at = { ...INSIDE, isVersion: true };
  expect(meshFindings({ ...FACTS, namespaceLabels: AMBIENT }, at).map(({ message }) => message)).toEqual([
    'Service shop/reviews is in the ambient mesh and has no waypoint: the waypoint of the Service that is called would forget this version as soon as no route leads to it, and fail requests on open connections',
  ]);
  expect(meshFindings({ ...FACTS, namespaceLabels: { ...AMBIENT, ...WAYPOINT } }, at)).toEqual([]);
});

describe('a release inside the ambient mesh', () => {
  const missing = ['error PERCH3090'];
  const sidecar = { name: 'a', annotations: { 'sidecar.istio.io/status': '{}' } };
  it.each<[string, Partial<MeshFacts>, readonly string[]]>([
    ['without a waypoint', { namespaceLabels: AMBIENT }, missing],
    ['whose namespace has one', { namespaceLabels: { ...AMBIENT, ...WAYPOINT } }, []],
    ['whose Service has one', { namespaceLabels: AMBIENT, serviceLabels: WAYPOINT }, []],
    [
      'whose Service takes that of the namespace away',
      { namespaceLabels: { ...AMBIENT, ...WAYPOINT }, serviceLabels: { 'istio.io/use-waypoint': 'none' } },
      missing,
    ],
    ['of pods that are in it by themselves', { pods: [{ name: 'a', labels: AMBIENT }] }, missing],
    [
      'of pods that are not, in a namespace that is',
      { namespaceLabels: AMBIENT, pods: [{ name: 'a', labels: { 'istio.io/dataplane-mode': 'none' } }] },
      [],
    ],
    ['of pods with sidecars, which it leaves alone', { namespaceLabels: AMBIENT, pods: [sidecar] }, []],
    ['of which some have sidecars', { namespaceLabels: AMBIENT, pods: [sidecar, { name: 'b' }] }, missing],
    ['of a host outside', { namespaceLabels: AMBIENT, service: undefined }, []],
    ['that is not ambient', {}, []],
  ])('%s', (_, facts, found) => {
    expect(codes(facts, INSIDE)).toEqual(found);
  });

  it('at a gateway needs none: gateways route by themselves', () => {
    expect(codes({ namespaceLabels: AMBIENT }, EDGE)).toEqual([]);
  });
});

describe('request ids at the edge', () => {
  it.each([
    ['1.24.6', true],
    ['v1.9', true],
    ['1.25.0', false],
    ['1.32-dev', false],
    ['2.1', false],
    ['latest', false],
  ])('Istio %s is too old: %s', (version, isOld) => {
    expect(codes({ istioVersions: [version] }, EDGE)).toEqual(isOld ? ['warning PERCH3091'] : []);
    expect(codes({ istioVersions: [version] }, INSIDE)).toEqual([]);
  });

  it('what is done to them is said, where ids are issued', () => {
    expect(codes({ requestIds: ['one', 'two'] }, EDGE)).toEqual(['warning PERCH3092', 'warning PERCH3092']);
    expect(codes({ requestIds: ['one'] }, INSIDE)).toEqual([]);
  });

  const filter = (value: object) => ({
    apiVersion: 'networking.istio.io/v1alpha3',
    kind: 'EnvoyFilter',
    metadata: { name: 'ids', namespace: 'istio-system' },
    spec: { configPatches: [{ applyTo: 'NETWORK_FILTER', patch: { operation: 'MERGE', value: { typed_config: value } } }] },
  });
  it.each([
    [{ preserve_external_request_id: true }, 'keeps request ids that clients send (preserve_external_request_id)'],
    [{ preserveExternalRequestId: true }, 'keeps request ids that clients send (preserve_external_request_id)'],
    [{ generate_request_id: false }, 'makes no request ids (generate_request_id: false)'],
    [{ preserve_external_request_id: false, generate_request_id: true }, undefined],
    [{ server_name: 'x' }, undefined],
  ])('an EnvoyFilter with %j', (value, said) => {
    expect(requestIdsOfFilter(filter(value))).toBe(said === undefined ? undefined : `EnvoyFilter istio-system/ids ${said}`);
  });

  it.each([
    ['defaultConfig: {proxyHeaders: {requestId: {disabled: true}}}', true],
    ['defaultConfig: {proxyHeaders: {requestId: {disabled: false}}}', false],
    ['defaultConfig: {}', false],
    ['', false],
    ['{', false],
  ])('a mesh configuration of %j: %s', (text, isDisabled) => {
    expect(requestIdsOfMeshConfig(text) !== undefined).toBe(isDisabled);
  });
});
