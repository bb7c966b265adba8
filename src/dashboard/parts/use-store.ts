import { useEffect, useState } from 'preact/hooks';
import type { Store } from '../data/store.ts';

/** The state of a store; the component is drawn again when it changes. */
export function useStore<State>(store: Store<State>): State {
  const [state, setState] = useState(store.state);
  useEffect(() => {
    const update = () => setState(store.state);
    update();
    return store.subscribe(update);
  }, [store]);
  return state;
}
