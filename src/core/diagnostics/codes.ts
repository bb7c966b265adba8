/** What a code stands for: `title` in one line, `remedy` for the reference page. */
export interface CodeEntry {
  readonly title: string;
  readonly remedy: string;
}

/**
 * Every code that Perch prints. 10xx reading files, 11xx Istio objects, 12xx CanaryRelease, 13xx not supported by the
 * embedded gateway, 20xx weaving, 30xx releases and requests, 40xx the runtime, 50xx what `perch doctor` finds. Codes are stable: never
 * reuse one.
 * `docs/reference/errors.md` is generated from this table.
 */
export const CODES = {
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
  PERCH4001: {
    title: 'The Host header does not name this machine',
    remedy: 'Ask for http://localhost:PORT, http://127.0.0.1:PORT or http://[::1]:PORT; other names are refused because of DNS rebinding.',
  },
  PERCH4002: {
    title: 'A page of another origin may not use this API',
    remedy: 'Call the API from a program, or from a page that it serves itself; it answers no other web page.',
  },
  PERCH4003: {
    title: 'The body is too large',
    remedy: 'Send at most 4 MiB in one call; apply the objects in several calls.',
  },
  PERCH4004: {
    title: 'There is nothing at this address',
    remedy: 'The calls are listed in docs/reference/openapi.json, and at /api/v1/openapi.json; each allows the methods listed there.',
  },
  PERCH4005: {
    title: 'There is no such object',
    remedy: 'Look at the names: perch get lists releases, perch get KIND the objects of a kind; -n chooses the namespace.',
  },
  PERCH4006: {
    title: 'The call is not well formed',
    remedy: 'Correct the parameters or the JSON body as the detail says.',
  },
  PERCH4007: {
    title: 'The objects were not applied',
    remedy: 'Correct what the diagnostics name; nothing was changed.',
  },
  PERCH4008: {
    title: 'The request was refused',
    remedy: 'The detail says why the release cannot do that now; perch status shows where it stands.',
  },
  PERCH4009: {
    title: 'The body is not declared as JSON',
    remedy: 'Send the header Content-Type: application/json.',
  },
  PERCH4010: {
    title: 'Perch failed inside',
    remedy: 'This is a bug: the log of the runtime has the details. Please report it.',
  },
  PERCH4011: {
    title: 'The object cannot be deleted',
    remedy: 'The detail says which release owns it: delete that release, or let it name another VirtualService.',
  },
  PERCH4014: {
    title: 'A file or directory cannot be read',
    remedy: 'Look at the path and its permissions; files are text in UTF-8. Directories are read recursively for .yaml, .yml and .json.',
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
  PERCH4050: {
    title: 'The same object twice in one apply',
    remedy: 'Keep one of the two: kind, namespace and name together must be unique.',
  },
  PERCH4051: {
    title: 'A kind that Perch does not keep',
    remedy: 'Apply CanaryReleases and Istio routing objects; everything else stays with the tool that runs it.',
  },
  PERCH4060: {
    title: 'Another perch uses the data directory',
    remedy: 'Stop the other one, or choose another directory with --data.',
  },
  PERCH4061: {
    title: 'The data file is damaged',
    remedy: 'Move it and its -journal file away and start again from your files; see first which version is live.',
  },
  PERCH4062: {
    title: 'The data directory cannot be written',
    remedy: 'Free some space, or make the directory writable. Nothing was changed by the write that failed.',
  },
  PERCH4063: {
    title: 'The data file is of another perch or of another program',
    remedy: 'Use the perch that wrote it, move it away, or choose another directory with --data.',
  },
  PERCH4070: {
    title: 'Another tool manages a field in the cluster',
    remedy: 'Change the field with that tool, or take it over: perch apply --force-conflicts.',
  },
  PERCH4071: {
    title: 'The cluster refuses an object',
    remedy: 'Correct the object as the message says; nothing was changed.',
  },
  PERCH4075: {
    title: 'A certificate of a Gateway’s server cannot be used',
    remedy:
      'credentialName is a folder of --credentials with tls.crt and tls.key (and ca.crt for MUTUAL), as a Secret is mounted; serverCertificate, privateKey and caCertificates are PEM files. The server refuses connections until they are right, and then takes them by itself.',
  },
  PERCH4080: {
    title: 'Nobody knows who asks',
    remedy: 'Send a token of the cluster as Authorization: Bearer TOKEN; kubectl create token makes one of a service account.',
  },
  PERCH4081: {
    title: 'The cluster refuses it',
    remedy: 'Ask for the right that is named, with a Role and a RoleBinding; the API shows and does what the apiserver would.',
  },
  PERCH4082: {
    title: 'In a cluster this is asked of the cluster itself',
    remedy: 'Use kubectl, or perch with --kubeconfig.',
  },
  PERCH4083: {
    title: 'The cluster does not answer',
    remedy: 'Releases stay as they are routed. Look at the apiserver; ask again later.',
  },
  PERCH4090: {
    title: 'The API does not know who asks',
    remedy:
      'Give perch a token: --token-file FILE or PERCH_TOKEN_FILE; in HTTP, Authorization: Bearer TOKEN. Tokens are in the file that perch serve was given.',
  },
  PERCH4091: {
    title: 'The token may only look',
    remedy: 'Use a token that may act: a line act TOKEN of the file that perch serve was given.',
  },
  PERCH4092: {
    title: 'The API would stand open',
    remedy: 'Give it TLS and tokens, or leave --api-bind out: on loopback it needs neither. docs/guides/api-access.md has the commands.',
  },
  PERCH4093: {
    title: 'A token file cannot be used',
    remedy: 'Write a line view TOKEN or act TOKEN for each token, of 32 random characters or more, in a file that only its owner may read.',
  },
  PERCH4094: {
    title: 'The API’s certificate cannot be used',
    remedy: 'Give a certificate with its chain and the key to it, both PEM, that belong together.',
  },
  PERCH4095: {
    title: 'The request is not one of HTTP/1.1',
    remedy: 'Look at what sends it; with TLS the address begins with https://.',
  },
  PERCH4096: {
    title: 'The request did not arrive in time',
    remedy: 'Send the head of a request within 10 s and all of it within 30 s.',
  },
  PERCH4097: {
    title: 'The head of the request is too large',
    remedy: 'Send at most 100 headers, in at most 16 KiB.',
  },
  PERCH4098: {
    title: 'Too many event streams are open',
    remedy: 'Close some, or ask for the releases now and then instead.',
  },
  PERCH5001: {
    title: 'The canary is not sticky',
    remedy:
      'Visitors who keep their cookies leave the canary again. Route by a cookie that stays with the visitor: a release of Perch in mode visitor does. A rollback during the probe looks the same.',
  },
  PERCH5002: {
    title: 'The outcome is pinned, not the visitor',
    remedy:
      'Whoever is not on the canary is drawn again at each request, so its share of visitors grows by itself. Give each visitor an id at first sight and route by it: a release of Perch in mode visitor.',
  },
  PERCH5003: {
    title: 'Visitors moved to the canary while they were probed',
    remedy: 'If a release widened meanwhile, probe again while it holds. Else look for a mark of stable visitors that ends soon.',
  },
  PERCH5004: {
    title: 'A page mixes versions',
    remedy: 'Its parts were answered by another version than its document. Let all requests of a visitor be routed by the same cookie.',
  },
  PERCH5010: {
    title: 'Browsers drop a cookie',
    remedy: 'Mend the attribute that is named: a cookie that browsers drop pins nobody.',
  },
  PERCH5011: {
    title: 'A cookie is for a part of the site only',
    remedy: 'Set it with Path=/: elsewhere the visitor is unknown, and is drawn again.',
  },
  PERCH5012: {
    title: 'A cookie ends soon',
    remedy:
      'Give it a Max-Age longer than the release takes; browsers keep a cookie for 400 days at most. Who comes back later is drawn again.',
  },
  PERCH5013: {
    title: 'A cookie is not sent when visitors follow a link to the site',
    remedy: 'Set SameSite=Lax: with Strict the first page after a link from another site comes without the cookie, and is drawn again.',
  },
  PERCH5014: {
    title: 'A cookie has one value for all who get it',
    remedy:
      'It names the outcome of a draw, not the visitor: nothing tells who is next when the canary widens. Give each visitor a value of their own.',
  },
  PERCH5015: {
    title: 'One visitor’s id is given to others',
    remedy:
      'Most likely a shared cache keeps an answer with its Set-Cookie. Answers that set an id need Cache-Control: private, and the cache has to obey it.',
  },
  PERCH5020: {
    title: 'A shared cache may keep an answer that sets a cookie',
    remedy: 'Add Cache-Control: private, or no-store, to answers that set one: else a cache may give one visitor’s cookie to everyone.',
  },
  PERCH5021: {
    title: 'A shared cache may serve one version’s page to visitors of the other',
    remedy: 'Add Cache-Control: private to pages while a release runs. In a release of Perch that is `cache: private`.',
  },
  PERCH5022: {
    title: 'Answers come from a cache',
    remedy: 'A cache in front does not know who is on the canary: let pages of a released service pass it by while the release runs.',
  },
  PERCH5030: {
    title: 'The site takes over request ids that clients send',
    remedy: 'Let the edge replace x-request-id, as Envoy does by default: else a client chooses its own visitor id and version.',
  },
  PERCH5031: {
    title: 'Request ids are no UUIDs',
    remedy: 'Visitor ids are made of request ids that end in 12 hex digits. Let the gateway make them, and no proxy in front of it.',
  },
  PERCH5040: {
    title: 'The versions cannot be told apart',
    remedy:
      'Say what tells them: --version-header NAME, --version-cookie NAME, or --version-pattern with a group that takes the version from the page.',
  },
  PERCH5041: {
    title: 'Answers failed',
    remedy:
      'Errors of the server, time-outs and broken connections tell no version. Probe again when the site is well, or with a lower --rate.',
  },
  PERCH5042: {
    title: 'Too little was seen to judge',
    remedy: 'Send more visitors (--visitors) or more requests for each (--requests).',
  },
} as const satisfies Record<string, CodeEntry>;

/** A code that `CODES` explains: `PERCH` and four digits, the first two of which name its range (CONTRIBUTING.md). */
export type DiagnosticCode = keyof typeof CODES;
