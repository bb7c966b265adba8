import { useEffect, useState } from 'preact/hooks';

/** What the page's address says: which release is in focus (`?release=default/reviews`). */
export interface Address {
  readonly release: string | undefined;
  /** Puts another release into focus, as a page of the history. */
  go(release: string): void;
}

/** The address of one release: to be shared, opened in a tab, bookmarked. */
export function addressOf(release: string): string {
  // A slash needs no escape in a query (RFC 3986, section 3.4).
  return `?release=${encodeURIComponent(release).replaceAll('%2F', '/')}`;
}

function current(): string | undefined {
  return new URLSearchParams(window.location.search).get('release') ?? undefined;
}

/** Reads the address, and follows Back and Forward. */
export function useAddress(): Address {
  const [release, setRelease] = useState(current);
  useEffect(() => {
    const follow = () => setRelease(current());
    window.addEventListener('popstate', follow);
    return () => window.removeEventListener('popstate', follow);
  }, []);
  return {
    release,
    go: (next) => {
      window.history.pushState(null, '', addressOf(next));
      setRelease(next);
    },
  };
}
