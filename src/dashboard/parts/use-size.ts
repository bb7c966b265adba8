import type { RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

/** The size of an element in px, for charts whose text keeps its size. */
interface Size<Kind> {
  readonly ref: RefObject<Kind | null>;
  /** 0 until it is known. */
  readonly width: number;
  readonly height: number;
  /** The page's font size in px: margins of a picture hold text, which grows with it. */
  readonly rem: number;
}

/** Measures an element, and again whenever it changes. */
export function useSize<Kind extends HTMLElement>(): Size<Kind> {
  const ref = useRef<Kind>(null);
  const [size, setSize] = useState({ width: 0, height: 0, rem: 16 });
  useLayoutEffect(() => {
    const element = ref.current;
    if (element === null) return undefined;
    const measure = () => {
      const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
      setSize({ width: element.clientWidth, height: element.clientHeight, rem });
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return { ref, ...size };
}
