import type { ComponentChildren } from 'preact';

interface PanelProps {
  /** Becomes the panel's id, and its place in the page's grid. */
  readonly name: string;
  readonly title: string;
  /** Beside the title. */
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** One of the page's parts, under its heading. */
export function Panel({ name, title, aside, children }: PanelProps) {
  return (
    <section class={`panel is-${name}`} aria-labelledby={name}>
      <div class="panel-head">
        <h2 id={name}>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}
