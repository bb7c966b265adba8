import type { CodeEntry } from './code-entry.ts';

/** Codes of `CODES`: 20xx weaving, 30xx releases and requests. */
export const RELEASE_CODES = {
  PERCH2001: {
    title: 'No rule of the VirtualService can be woven',
    remedy:
      'Adopt the VirtualService whose HTTP rules lead to the service, or declare such rules in spec.route, and mend what the other findings on its rules name.',
  },
  PERCH2002: {
    title: 'A rule matches on a header that weaving needs',
    remedy:
      'A match can test a header once, and a delegate cannot test what its root tests. Leave cookie, accept, sec-fetch-mode, x-request-id, baggage and :path to Perch.',
  },
  PERCH2003: {
    title: 'A rule draws between weighted destinations',
    remedy:
      'Leave one destination: the release does the splitting, and its visitors stay put. Where affinity.mode canaryOnly draws at an entry service, mode visitor needs no change.',
  },
  PERCH2004: {
    title: 'A destination adds a Set-Cookie',
    remedy: 'Add that cookie in the headers of the rule instead of those of the destination: both are then sent.',
  },
  PERCH2005: {
    title: 'A rule delegates its routes',
    remedy: 'Release through the delegate: name it in spec.route.adopt, or let Perch own it with spec.route.delegate.',
  },
  PERCH2006: {
    title: 'A TCP or TLS route leads to the service',
    remedy: 'Only HTTP routes are released: a connection carries no cookie. Let the gateway end TLS.',
  },
  PERCH2007: {
    title: 'A rule answers by itself',
    remedy: 'Nothing to do: a redirect or direct response reaches no version and stays as it is.',
  },
  PERCH2008: {
    title: 'A rule names another subset',
    remedy: 'Nothing to do if it is meant: an explicit choice stays. Otherwise leave the subset out.',
  },
  PERCH2009: {
    title: 'A woven rule would overtake the routes of another VirtualService',
    remedy:
      'A gateway merges all routes of a host and sorts those that take every path last; woven ones match on headers and are not sorted. Give the rule a path, or put all routes of the host into one VirtualService.',
  },
  PERCH2010: {
    title: 'There is no place to issue visitor ids',
    remedy:
      'Name in spec.visitorId.issueAt a VirtualService of the same namespace that is bound to a gateway; for an adopted HTTPRoute of Services, inside the mesh, an HTTPRoute of Gateways.',
  },
  PERCH2011: {
    title: 'No rule of the issuing route can be woven',
    remedy: 'Mend what the other findings on its rules name: without ids nobody would ever be on the canary.',
  },
  PERCH2012: {
    title: 'A release is woven into the VirtualService that does not name it',
    remedy: 'Wait until that release has left it, or give the services VirtualServices of their own.',
  },
  PERCH2013: {
    title: 'Browsers drop the visitor id cookie',
    remedy:
      'A name that begins with __Host- or __Secure-, and `partitioned`, need Secure: serve HTTPS, set secure: true, or do without. `domain` has to be one that all hosts of the issuing VirtualService are in.',
  },
  PERCH2014: {
    title: 'A header operation of a rule would undo what weaving adds',
    remedy: 'With several destinations the operations of the rule come last. Move the one that is named to each destination.',
  },
  PERCH2015: {
    title: 'A match issues no visitor ids, or draws nobody',
    remedy:
      'Istio ignores sourceLabels and sourceNamespace in a match that names gateways. Name the gateway in the match, or bind the object to the gateway only.',
  },
  PERCH2016: {
    title: 'Drawing would turn the order of header operations round',
    remedy:
      'With one destination Envoy applies the rule’s header operations before the destination’s, with several after them, and affinity.mode canaryOnly draws between two. Put the operations on one header into one place.',
  },
  PERCH2017: {
    title: 'A root VirtualService and its delegate would not merge once woven',
    remedy:
      'Istio drops a delegate’s rule whose matches its root excludes. Make the roots of a delegate alike in ignoreUriCase, sourceNamespace and gateways, or give each a delegate of its own.',
  },
  PERCH2018: {
    title: 'Nothing delegates to the VirtualService',
    remedy: 'A VirtualService without hosts serves only where a rule of another one delegates to it, by name and namespace.',
  },
  PERCH2019: {
    title: 'Another route of the same host in the mesh',
    remedy:
      'Delete one of the two, or put the rules of both into one object: in the mesh one of them counts for a client and the other is not used, so a release in it might reach nobody. Of VirtualServices the older one counts, and before them, for clients of its namespace, an HTTPRoute.',
  },
  PERCH2020: {
    title: 'Other rules take the requests of a released rule first',
    remedy:
      'Put the rules into one VirtualService, the narrower first, or delete what takes the requests. At a gateway rules of the older VirtualService come first, however narrow the others are.',
  },
  PERCH2021: {
    title: 'Too many independent releases share a VirtualService',
    remedy:
      'Visitors can be divided into 16 parts at one VirtualService: 4 independent releases, or 15 that share their visitors (spec.cohort), or something between. Give releases that run at the same time the same cohort, or wait until one has finished.',
  },
  PERCH2030: {
    title: 'Woven, an HTTPRoute would be larger than Gateway API allows',
    remedy:
      'A released rule becomes up to five, or seven where a filter replaces its prefix; a route has at most 16 rules, 64 matches in a rule and 128 in all, a match 16 headers, and a filter adds 16. Put other rules into an HTTPRoute of their own.',
  },
  PERCH2031: {
    title: 'A woven rule would overtake another one in Gateway API’s order',
    remedy:
      'Narrower matches come first there, and woven ones ask for more headers. Put rules of one host and path into one HTTPRoute, where Perch keeps their order, and leave the headers host and x-forwarded-proto free in them.',
  },
  PERCH2032: {
    title: 'A version is no Service beside the others',
    remedy: 'In an HTTPRoute each version is a Service of the namespace that the backends of the route are of: name it by its short name.',
  },
  PERCH2033: {
    title: 'An HTTPRoute is not, or not only, at gateways or in the mesh of Istio',
    remedy:
      'The visitor id is issued with %REQ(x-request-id)%, which Istio’s Envoys fill in; others would send it as it is. Adopt an HTTPRoute that only Gateways of a class of Istio serve, or whose parents are all Services of its namespace.',
  },
  PERCH3001: {
    title: 'A release is under way',
    remedy:
      'Roll back or finish it first: where it is woven in and how visitors are known stays meanwhile. Another canary or revision may be asked for at any time.',
  },
  PERCH3050: {
    title: 'Two releases cannot both have a service, a VirtualService or a canary’s cookie',
    remedy:
      'Each service takes part in one release at a time. Releases share a VirtualService where all have affinity.mode: visitor, issue the same visitor id (visitorId.cookie and issueOn) and only one owns it. Give each canary’s cookie a name of its own.',
  },
  PERCH3051: {
    title: 'The VirtualService that a release adopts does not exist',
    remedy: 'Create it, or name the VirtualService that routes to the service.',
  },
  PERCH3052: {
    title: 'A release would take a VirtualService that is not its own',
    remedy:
      'Choose another name, or let the release take it over: apply it with route.adopt naming the object first, then with the route that owns it. Routes in the object give way to those of the release.',
  },
  PERCH3053: {
    title: 'The VirtualService belongs to a release',
    remedy:
      'Change spec.route.managed or spec.route.delegate of the CanaryRelease that is named, and leave the VirtualService out of your files. When the release is deleted, the VirtualService stays and is yours.',
  },
  PERCH3054: {
    title: 'The annotation perch.dev/owned-by is Perch’s own',
    remedy: 'Leave it out: Perch sets it on the VirtualServices that it creates for a release, and takes it away when the release leaves.',
  },
  PERCH3055: {
    title: 'The rules of a release lead elsewhere than the VirtualService that it takes over',
    remedy:
      'Write the version that the VirtualService leads to into the rules of spec.route: everyone is there now, and would be moved at once.',
  },
  PERCH3056: {
    title: 'A VirtualService would be too large for the cluster with the release woven in',
    remedy:
      'A cluster keeps objects of up to 1.5 MiB, with all that it notes about them; weaving makes several rules of one. Take rules that do not concern the service into a VirtualService of their own, or delegate to one with the rules that do, and adopt the delegate.',
  },
  PERCH3060: {
    title: 'A release names something of another namespace',
    remedy:
      'In a cluster a release names services and gateways of its own namespace, unless perch controller allows more: --allow-references FROM:TO. What Istio lets an author of VirtualServices do is not asked: it lets them route to any service.',
  },
  PERCH3061: {
    title: 'A release goes by something in a namespace that the controller does not read',
    remedy:
      'A controller with --watch-namespace sees these namespaces only. Name the other one with --read-namespace, and let the controller read there: deploy/namespaced/read/rbac.yaml.',
  },
  PERCH3080: {
    title: 'First visits get no valid visitor id, because of their request ids',
    remedy:
      'A proxy before the edge sets x-request-id in a form of its own, and the edge keeps it. Let the edge make its own (Envoy: no preserve_external_request_id), or have the proxy send UUIDs or none.',
  },
  PERCH3081: {
    title: 'Scripts of other sites bring no visitor id',
    remedy:
      'A fetch across sites carries cookies only with `credentials: include`, CORS that allows them, and a cookie with `sameSite: None`, `secure: true` and, where browsers block cookies of other sites, `partitioned: true`. See guides/browsers.md.',
  },
  PERCH3090: {
    title: 'A release inside the ambient mesh has no waypoint',
    remedy:
      'There it is the waypoint of a service that routes to its versions. Label the Service or its namespace with istio.io/use-waypoint and the name of a waypoint (istioctl waypoint apply makes one); versions that are Services of their own as well.',
  },
  PERCH3091: {
    title: 'Istio is older than 1.25',
    remedy:
      'Gateways before 1.25 keep the request ids of clients with private addresses, which then choose their cohort, or have no id that can become a visitor id. Upgrade Istio.',
  },
  PERCH3092: {
    title: 'Request ids are not made as visitor ids need them',
    remedy:
      'Gateways where ids are issued have to make request ids, and replace those of clients: take preserve_external_request_id, generate_request_id: false and proxyHeaders.requestId.disabled away there.',
  },
  PERCH3095: {
    title: 'A version is not scaled',
    remedy:
      'spec.scaling scales the one Deployment, in the namespace of the release, whose pods have the labels of the version and of no other one. No autoscaler may do the same (take it away, or spec.scaling out), and the controller needs the right to patch deployments/scale (deploy/rbac.yaml). The release goes on without.',
  },
} as const satisfies Record<string, CodeEntry>;
