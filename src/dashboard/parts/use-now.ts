import { useEffect, useState } from 'preact/hooks';

/** The time, in ms since the epoch, anew each second; `aheadMs` is added: how much the server's clock is ahead. */
export function useNow(aheadMs: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now + aheadMs;
}
