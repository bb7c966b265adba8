import type { CodeEntry } from './code-entry.ts';

/** Codes of `CODES`: 10xx reading files, 11xx Istio objects, 12xx CanaryRelease, 13xx not supported by the embedded gateway. */
export const OBJECT_CODES = {
  PERCH1001: {
    title: 'The file is not valid YAML',
    remedy: 'Correct the syntax at the place named; the rest of that document was not read.',
  },
  PERCH1002: {
    title: 'The file is too large',
    remedy: 'Split it into several files of at most 1,048,576 characters each.',
  },
  PERCH1003: {
    title: 'A key stands twice in one mapping',
    remedy: 'Keep one of the two: YAML does not say which would count.',
  },
  PERCH1004: {
    title: 'An alias cannot be followed',
    remedy: 'Write the value out, or set the anchor before the alias. Aliases may add at most 10,000 values to a document.',
  },
  PERCH1005: {
    title: 'A YAML tag or version that is not supported',
    remedy: 'Write plain values: files are read as YAML 1.2, core schema, without tags.',
  },
  PERCH1006: {
    title: 'A document is not an object',
    remedy: 'Write a mapping with apiVersion, kind, metadata and spec; separate objects by a line with three hyphens.',
  },
  PERCH1007: {
    title: 'An object is not named',
    remedy: 'Every object needs apiVersion, kind and metadata.name.',
  },
  PERCH1008: {
    title: 'A field of metadata is not valid',
    remedy: 'Names and namespaces are Kubernetes names; labels and annotations are text, so numbers and booleans need quotes.',
  },
  PERCH1009: {
    title: 'An object is of another namespace than was asked for',
    remedy: 'Leave --namespace out: the object names its own; or take the namespace out of the object.',
  },
  PERCH1101: {
    title: 'An Istio object or an HTTPRoute has a field that does not exist',
    remedy: 'Correct the name, or remove the field; the message names a close match or the fields that are known there.',
  },
  PERCH1102: {
    title: 'An Istio object or an HTTPRoute lacks a field that it needs',
    remedy: 'Add the field as the message says.',
  },
  PERCH1103: {
    title: 'A field of an Istio object or an HTTPRoute has the wrong kind of value',
    remedy: 'Write what the message expects.',
  },
  PERCH1104: {
    title: 'An Istio object or an HTTPRoute breaks a rule of its validation',
    remedy: 'Correct it as the message says: istiod’s admission webhook, Envoy, or the apiserver would refuse it too.',
  },
  PERCH1105: {
    title: 'The apiVersion of an Istio object is not known',
    remedy: 'Write networking.istio.io/v1; v1beta1 and v1alpha3 are read too.',
  },
  PERCH1130: {
    title: 'A destination does not exist',
    remedy: 'Declare the host and port with a ServiceEntry and the subset with a DestinationRule; until then requests are answered 503.',
  },
  PERCH1131: {
    title: 'A VirtualService names a Gateway that does not exist',
    remedy: 'Create the Gateway, or correct the name; names without a namespace are of the namespace of the VirtualService.',
  },
  PERCH1132: {
    title: 'Two VirtualServices route one host in the mesh',
    remedy: 'Put their rules into one object: in the mesh the older one counts, they are not merged.',
  },
  PERCH1133: {
    title: 'A delegation leads nowhere',
    remedy: 'Create the VirtualService that is named, without hosts, or take out of it what the delegating rule excludes.',
  },
  PERCH1134: {
    title: 'A host is declared in several namespaces',
    remedy: 'Declare it in one: only one of them counts, that of the client first.',
  },
  PERCH1135: {
    title: 'Two servers of Gateways cannot share a port',
    remedy:
      'Give one of them another port: with and without TLS they exclude each other, and of two with TLS a host can have one only. The older one is served, as in Istio.',
  },
  PERCH1201: {
    title: 'A field that CanaryRelease does not have',
    remedy: 'Correct the name, or remove the field; docs/reference/canary-release.md lists all of them.',
  },
  PERCH1202: {
    title: 'A required field is missing',
    remedy: 'Add the field that is named.',
  },
  PERCH1203: {
    title: 'A field has a value that it cannot have',
    remedy: 'The message says what is expected and what was found.',
  },
  PERCH1204: {
    title: 'The weights do not increase to 100',
    remedy: 'Put steps with match first, order the others so that each weight is larger than the one before, and end with weight 100.',
  },
  PERCH1206: {
    title: 'Browsers would drop the visitor id’s cookie',
    remedy:
      '`sameSite: None` needs `secure: true`; `partitioned` and a name with `__Host-` or `__Secure-` need a secure cookie; `__Host-` also `path: /` and no `domain`. A `domain` has a dot.',
  },
  PERCH1207: {
    title: 'Canary and stable are the same version',
    remedy: 'Name the new version in canary and the one before in stable.',
  },
  PERCH1208: {
    title: 'A duration is out of bounds',
    remedy:
      'Holds are longer than zero and at most 90d; a cookie’s maxAge is in whole seconds and at most 400d. The bounds of the times of spec.readiness are in the message.',
  },
  PERCH1209: {
    title: 'propagate: requestId needs cookie',
    remedy:
      'A request id is fresh at every return, so it can only help with the first page; add cookie to the list, or take requestId out.',
  },
  PERCH1210: {
    title: 'Not supported yet',
    remedy: 'The field is part of the design but not of this version; the message says what to use instead.',
  },
  PERCH1211: {
    title: 'The name of a release is not valid',
    remedy: 'Use lower-case letters, digits and hyphens, at most 63 characters, as for a Kubernetes service.',
  },
  PERCH1212: {
    title: 'An apiVersion that is not known',
    remedy: 'Write apiVersion: perch.dev/v1alpha1.',
  },
  PERCH1213: {
    title: 'A field means nothing in this affinity mode',
    remedy:
      'affinity.cookie belongs to canaryOnly; visitorId.cookie, visitorId.issueOn, cohort and propagate: requestId belong to visitor. Leave the field out, or change affinity.mode.',
  },
  PERCH1214: {
    title: 'A health check may take longer than its interval',
    remedy:
      'The next check of an endpoint begins when the one before has ended. Shorten healthCheck.timeout, or lengthen healthCheck.interval.',
  },
  PERCH1215: {
    title: 'A field means nothing where ids come with a header',
    remedy:
      'With visitorId.from.header nothing is issued: leave visitorId.cookie, issueOn and propagate: requestId out. The header has to carry a UUID that is one visitor’s, or one tenant’s, at every request.',
  },
  PERCH1216: {
    title: 'A field does not go with route.adopt.httpRoute',
    remedy:
      'An HTTPRoute leads to Services: name each version with host. Subsets, affinity.mode: canaryOnly, optIn and steps with match need a VirtualService. Of an HTTPRoute inside the mesh, visitorId.issueAt names the HTTPRoute at a Gateway where ids are issued, and propagate goes with that only.',
  },
  PERCH1301: {
    title: 'Istio has this, the embedded gateway does not support it yet',
    remedy: 'Remove the field or the object here. Nothing is ignored silently: what the gateway serves is what the objects say.',
  },
  PERCH1302: {
    title: 'Gateway API is for clusters',
    remedy:
      'perch serve knows Istio’s objects only. A release in an HTTPRoute runs with perch controller in a cluster; on one machine adopt a VirtualService.',
  },
  PERCH1303: {
    title: 'There is nothing to scale here',
    remedy:
      'perch serve, and plan and render, know no Deployments: spec.scaling means something to perch controller in a cluster. On one machine start and stop the versions yourself; the release waits until they are ready all the same.',
  },
} as const satisfies Record<string, CodeEntry>;
