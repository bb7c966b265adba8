import { useEffect, useState } from 'preact/hooks';
import type { ApiClient, ProblemText } from '../data/api-client.ts';

/** What was loaded: nothing yet, the value, or what was wrong. A value stays until the next one is there. */
export type Loaded<Value> =
  | { readonly kind: 'loading' }
  | { readonly kind: 'value'; readonly value: Value }
  | { readonly kind: 'problem'; readonly problem: ProblemText };

/** Loads `path` (undefined: nothing), and again whenever it or `version` changes. */
export function useLoaded<Value>(api: ApiClient, path: string | undefined, version: string): Loaded<Value> {
  const [loaded, setLoaded] = useState<{ readonly path: string | undefined; readonly result: Loaded<Value> }>({
    path,
    result: { kind: 'loading' },
  });
  useEffect(() => {
    if (path === undefined) return undefined;
    const call = new AbortController();
    void api.get<Value>(path, call.signal).then((answer) => {
      if (call.signal.aborted) return;
      setLoaded((before) => {
        // What nobody answers is asked for again with the next connection; until then the last value stands.
        if (answer.kind === 'problem' && answer.problem.status === 0 && before.path === path && before.result.kind === 'value')
          return before;
        return { path, result: answer };
      });
    });
    return () => call.abort();
  }, [api, path, version]);
  return loaded.path === path ? loaded.result : { kind: 'loading' };
}
