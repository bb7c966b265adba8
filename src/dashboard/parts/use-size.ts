import type { RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

/** The size of an element in px, for charts whose text keeps its size. */
interface Size<Kind> {
  readonly ref: RefObject<Kind | null>;
  /** 0 until it is known. */
  readonly width: number;
  readonly height: number;
}

/** Measures an element, and again whenever it changes. */
export function useSize<Kind extends HTMLElement>(): Size<Kind> {
  const ref = useRef<Kind>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = ref.current;
    if (element === null) return undefined;
    const measure = () => setSize({ width: element.clientWidth, height: element.clientHeight });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return { ref, ...size };
}
