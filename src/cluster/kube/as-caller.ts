import type { KubeAccess } from './kube-client.ts';

/** The same apiserver, asked by whoever a token belongs to: nothing of the access itself goes along but what tells the server to be the right one. */
export function asCaller({ url, authenticate }: KubeAccess, token: string): KubeAccess {
  return {
    url,
    async authenticate(options) {
      const { headers } = options;
      const own = { ...options };
      await authenticate(own);
      const { ca, rejectUnauthorized, servername } = own;
      options.headers = { ...headers, authorization: `Bearer ${token}` };
      if (ca !== undefined) options.ca = ca;
      if (rejectUnauthorized !== undefined) options.rejectUnauthorized = rejectUnauthorized;
      if (servername !== undefined) options.servername = servername;
    },
  };
}
