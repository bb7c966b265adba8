import { createHash } from 'node:crypto';
import type { KubeClient } from '../../cluster/kube/kube-client.ts';
import { Remembered } from './remembered.ts';

/** Who asks, as the cluster knows them (authentication.k8s.io/v1 UserInfo). */
export interface Caller {
  readonly username: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** What somebody wants to do (authorization.k8s.io/v1 ResourceAttributes). */
export interface Access {
  readonly verb: 'get' | 'list';
  readonly group: string;
  readonly resource: string;
  /** Empty: all of them. */
  readonly namespace: string;
  /** Only with `get`. */
  readonly name?: string;
}

/** Longest token that is looked at, in characters: a service account's has about 1,000. */
const LONGEST_TOKEN = 16_384;
/** How long the cluster's word is taken, in ms: a token that was revoked, and a right that was taken away, count for no longer. */
const TOKEN_MS = 10_000;
const RIGHT_MS = 10_000;
/** How many answers are kept. */
const MOST_TOKENS = 1_000;
const MOST_RIGHTS = 10_000;

/**
 * Asks the apiserver who a token belongs to (TokenReview), and what they may do (SubjectAccessReview): the cluster's own authentication and authorization,
 * whatever those are. Answers are kept for ten seconds.
 */
export class AccessReviews {
  readonly #client: KubeClient;
  readonly #callers: Remembered<Caller | undefined>;
  readonly #rights: Remembered<boolean>;

  constructor(client: KubeClient, now: () => number) {
    this.#client = client;
    this.#callers = new Remembered(TOKEN_MS, MOST_TOKENS, now);
    this.#rights = new Remembered(RIGHT_MS, MOST_RIGHTS, now);
  }

  /** Undefined where the cluster does not know the token. @throws KubeError where it cannot be asked. */
  async callerOf(token: string): Promise<Caller | undefined> {
    if (token === '' || token.length > LONGEST_TOKEN) return undefined;
    // Tokens are not kept, not even in memory.
    const key = createHash('sha256').update(token).digest('base64');
    return await this.#callers.get(key, async () => {
      const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } };
      const { status } = (await this.#client.request('/apis/authentication.k8s.io/v1/tokenreviews', { method: 'POST', body })) as {
        readonly status?: { readonly authenticated?: boolean; readonly user?: Caller };
      };
      return status?.authenticated === true ? status.user : undefined;
    });
  }

  /** Whether they may. @throws KubeError where the cluster cannot be asked. */
  async may({ username, uid, groups, extra }: Caller, access: Access): Promise<boolean> {
    const user = { user: username, uid, groups, extra };
    return await this.#rights.get(JSON.stringify([user, access]), async () => {
      const spec = { ...user, resourceAttributes: access };
      const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec };
      const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
      const { status } = (await this.#client.request(path, { method: 'POST', body })) as {
        readonly status?: { readonly allowed?: boolean };
      };
      return status?.allowed === true;
    });
  }
}
