/** Methods that Envoy's parser knows, too (envoy http/http1/balsa_parser.cc), but CONNECT, which is not offered. */
const METHODS: ReadonlySet<string> = new Set(
  (
    'ACL BIND CHECKOUT COPY DELETE GET HEAD LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MOVE NOTIFY OPTIONS PATCH POST PROPFIND ' +
    'PROPPATCH PURGE PUT REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE UNBIND UNLINK UNLOCK UNSUBSCRIBE'
  ).split(' '),
);

/** Whether requests with this method are served. */
export function isMethod(name: string): boolean {
  return METHODS.has(name);
}
