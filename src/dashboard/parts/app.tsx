import { useEffect } from 'preact/hooks';
import type { ApiClient } from '../data/api-client.ts';
import type { LiveReleases } from '../data/live-releases.ts';
import { weightText } from '../model/number-text.ts';
import { keyOf, type Release } from '../model/release.ts';
import { ConnectionNote } from './connection-note.tsx';
import { NoRelease } from './no-release.tsx';
import { ReleaseNav } from './release-nav.tsx';
import { ReleasePage } from './release-page.tsx';
import { TokenForm } from './token-form.tsx';
import { useAddress } from './use-address.ts';
import { useStore } from './use-store.ts';

/** The whole page. */
export function App({ api, live }: { readonly api: ApiClient; readonly live: LiveReleases }) {
  const { connection, releases, epoch, serverAheadMs } = useStore(live.store);
  const address = useAddress();
  const all = releases === undefined ? [] : [...releases.values()];
  // Without an address: one that is under way, as that is what one comes to see.
  const focus = address.release === undefined ? (all.find(isGoing) ?? all[0]) : releases?.get(address.release);
  // A hidden tab still shows its title: it is to have nothing in it that may be old.
  const standing = focus === undefined || connection.kind === 'resting' ? '' : ` ${standingText(focus)}`;
  const title = focus === undefined ? 'Perch' : `${focus.metadata.name}${standing} · Perch`;
  useEffect(() => {
    document.title = title;
  }, [title]);

  return (
    <>
      <header class="top">
        <p class="brand">Perch</p>
        {all.length > 1 && <ReleaseNav releases={all} focus={focus} go={address.go} />}
        <ConnectionNote connection={connection} retry={() => live.connect()} />
      </header>
      <main aria-busy={releases === undefined && connection.kind !== 'stranger'}>
        {connection.kind === 'stranger' && (
          <TokenForm
            problem={connection.problem}
            hasToken={api.hasToken}
            use={(token) => {
              api.setToken(token);
              live.connect();
            }}
          />
        )}
        {focus !== undefined && (
          <ReleasePage key={keyOf(focus)} release={focus} api={api} live={live} epoch={epoch} serverAheadMs={serverAheadMs} />
        )}
        {focus === undefined && releases !== undefined && <NoRelease wanted={address.release} releases={all} go={address.go} />}
        {releases === undefined && connection.kind !== 'stranger' && <p class="quiet">Asking what is being released …</p>}
      </main>
    </>
  );
}

function isGoing({ status }: Release): boolean {
  return status !== undefined && status.phase !== 'Succeeded' && status.phase !== 'RolledBack' && status.phase !== 'Pending';
}

function standingText({ status }: Release): string {
  return status?.phase === 'Progressing' || status?.phase === 'Paused' ? weightText(status.weight) : (status?.phase ?? 'Pending');
}
