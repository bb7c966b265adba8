import type { Headline, Tone } from '../model/headline.ts';
import { keyOf, type Release, versionNames } from '../model/release.ts';

/** A sign beside the word, so that nobody has to see the colour. */
const SIGNS: Readonly<Record<Tone, string>> = { calm: '●', attention: '▲', harm: '■' };

/** Where the release stands, in words. */
export function HeadlineView({ release, headline }: { readonly release: Release; readonly headline: Headline }) {
  const { tone, phase, lead, rest } = headline;
  const { stable, canary } = versionNames(release);
  return (
    <header class="headline">
      <p class="standing">
        <span class={`phase is-${tone}`}>
          <span aria-hidden="true">{SIGNS[tone]}</span> {phase}
        </span>{' '}
        <span class="what">
          {keyOf(release)}{' '}
          <span class="quiet">
            {stable} → {canary}
          </span>
        </span>
      </p>
      <h1>{lead}</h1>
      {rest.length > 0 && <p class="rest">{rest.join(' ')}</p>}
    </header>
  );
}
