import { keyOf, type Release } from '../model/release.ts';
import { addressOf } from './use-address.ts';

interface NoReleaseProps {
  /** Which one the address asks for; undefined: any. */
  readonly wanted: string | undefined;
  readonly releases: readonly Release[];
  readonly go: (release: string) => void;
}

/** What stands there where no release does. */
export function NoRelease({ wanted, releases, go }: NoReleaseProps) {
  if (wanted === undefined) {
    return (
      <section class="empty">
        <h1>There is no release.</h1>
        <p>
          Apply one: <code>perch apply -f release.yaml</code>. It appears here at once.
        </p>
      </section>
    );
  }
  return (
    <section class="empty">
      <h1>There is no release {wanted}.</h1>
      {releases.length > 0 && (
        <>
          <p>
            It may have been deleted: <code>perch history</code> remembers. There is:
          </p>
          <ul>
            {releases.map((release) => (
              <li key={keyOf(release)}>
                <a
                  href={addressOf(keyOf(release))}
                  onClick={(event) => {
                    event.preventDefault();
                    go(keyOf(release));
                  }}
                >
                  {keyOf(release)}
                </a>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
