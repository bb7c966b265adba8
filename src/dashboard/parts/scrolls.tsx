import type { ComponentChildren } from 'preact';

interface ScrollsProps {
  readonly label: string;
  readonly isCode?: boolean;
  readonly children: ComponentChildren;
}

/** What may be wider than the window scrolls by itself, with the keyboard too. */
export function Scrolls({ label, isCode = false, children }: ScrollsProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to take the focus, or the keyboard cannot scroll it (WCAG 2.1.1).
    <section class={isCode ? 'scrolls code' : 'scrolls'} aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
