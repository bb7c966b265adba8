import type { TlsServer } from '../../core/routing/tls-server.ts';
import { type Credential, type CredentialOptions, keepCredential } from './kept-credential.ts';

interface Kept {
  readonly ready: Promise<void>;
  readonly followers: Set<(credential: Credential) => void>;
  readonly stop: AbortController;
  last: Credential | undefined;
}

/** The credentials of a gateway: several sockets may follow one, which is read, and talked about, once. */
export class Credentials {
  private readonly options: CredentialOptions;
  /** By `id` of the server. */
  private readonly kept = new Map<string, Kept>();

  constructor(options: CredentialOptions) {
    this.options = options;
  }

  /** `onChange` is told of the credential that the server has, and of each that follows. Resolves, when it was looked for, with what ends that. */
  async follow(server: TlsServer, onChange: (credential: Credential) => void): Promise<() => void> {
    const kept = this.kept.get(server.id) ?? this.keep(server);
    kept.followers.add(onChange);
    if (kept.last !== undefined) onChange(kept.last);
    await kept.ready;
    return () => {
      kept.followers.delete(onChange);
      if (kept.followers.size > 0) return;
      kept.stop.abort();
      if (this.kept.get(server.id) === kept) this.kept.delete(server.id);
    };
  }

  private keep(server: TlsServer): Kept {
    const stop = new AbortController();
    const followers: Kept['followers'] = new Set();
    const tell = (credential: Credential): void => {
      kept.last = credential;
      for (const follower of followers) follower(credential);
    };
    // Later, as it may tell at once.
    const ready = Promise.resolve().then(() => keepCredential(server, this.options, tell, stop.signal));
    const kept: Kept = { ready, followers, stop, last: undefined };
    this.kept.set(server.id, kept);
    return kept;
  }
}
