import type { Connection } from '../data/live-releases.ts';
import { spanText } from '../model/time-text.ts';
import { useNow } from './use-now.ts';

/** Whether the figures are of this moment; where they are not, since when, and when the next try is. */
export function ConnectionNote({ connection, retry }: { readonly connection: Connection; readonly retry: () => void }) {
  const now = useNow(0);
  if (connection.kind !== 'lost') {
    const text = { connecting: 'connecting', live: 'live', resting: 'paused while hidden', stranger: 'needs a token' }[connection.kind];
    return (
      <p class="connection" role="status">
        <span class={`dot ${connection.kind === 'live' ? 'is-on' : ''}`} aria-hidden="true" /> {text}
      </p>
    );
  }
  return (
    <div class="connection is-lost">
      <p role="status">
        <span class="mark" aria-hidden="true">
          !
        </span>{' '}
        connection lost, retrying
      </p>
      <p class="quiet">
        Figures are {spanText(now - connection.since)} old; next try in {spanText(connection.retryAt - now)}.{' '}
        <button type="button" class="small" onClick={retry}>
          Try now
        </button>
      </p>
    </div>
  );
}
