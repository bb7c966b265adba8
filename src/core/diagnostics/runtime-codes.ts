import type { CodeEntry } from './code-entry.ts';

/** Codes of `CODES`: 40xx the runtime and its API. */
export const RUNTIME_CODES = {
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
} as const satisfies Record<string, CodeEntry>;
