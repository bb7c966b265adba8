import { weightText } from '../model/number-text.ts';
import { keyOf, type Release, versionNames } from '../model/release.ts';
import { addressOf } from './use-address.ts';

interface ReleaseNavProps {
  readonly releases: readonly Release[];
  readonly focus: Release | undefined;
  readonly go: (release: string) => void;
}

/** All releases, the one in focus marked. Links, so that each may be opened in a tab of its own. */
export function ReleaseNav({ releases, focus, go }: ReleaseNavProps) {
  const isOneNamespace = new Set(releases.map(({ metadata }) => metadata.namespace)).size === 1;
  return (
    <nav aria-label="Releases">
      <ul class="releases">
        {releases.map((release) => {
          const key = keyOf(release);
          const { metadata, status } = release;
          return (
            <li key={key}>
              <a
                href={addressOf(key)}
                aria-current={focus !== undefined && keyOf(focus) === key ? 'page' : undefined}
                onClick={(event) => {
                  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
                  event.preventDefault();
                  go(key);
                }}
              >
                <span class="name">{isOneNamespace ? metadata.name : key}</span>{' '}
                <span class="quiet">
                  {versionNames(release).canary} · {status?.phase ?? 'Pending'}
                  {status?.phase === 'Progressing' || status?.phase === 'Paused' ? ` ${weightText(status.weight)}` : ''}
                </span>
              </a>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}
