/** The style sheet of the demo's pages: from 320 px up, light and dark, without motion. */
export const PAGE_CSS = `:root {
  color-scheme: light dark;
  --paper: #faf6ee; --card: #fffdf8; --ink: #1f2a2c; --soft: #5c6769; --line: #e6dece;
  --accent: #0f6e63; --on-accent: #ffffff; --accent-soft: #e3f1ec; --accent-line: #b6dccf;
  --star-black: #1f2a2c; --star-red: #c8321f; --star-off: #ddd3bf; --harm: #9b2c1c; --harm-soft: #fbeae5;
  --shadow: 0 1px 2px rgb(60 45 15 / .06), 0 6px 24px rgb(60 45 15 / .07);
  --serif: "Iowan Old Style", "Palatino Linotype", Palatino, Georgia, serif;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #141b1c; --card: #1c2526; --ink: #e9ece8; --soft: #a3afae; --line: #303c3d;
    --accent: #6cc9b5; --on-accent: #08201c; --accent-soft: #17322e; --accent-line: #2b5a52;
    --star-black: #f3f1ea; --star-red: #ff7a63; --star-off: #3a4748; --harm: #ff9b88; --harm-soft: #3a211d;
    --shadow: 0 1px 2px rgb(0 0 0 / .4);
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.6 var(--sans); overflow-wrap: anywhere; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
h1, h2, .book-author { font-family: var(--serif); font-weight: 600; line-height: 1.2; text-wrap: balance; }
h1 { font-size: clamp(1.8rem, 5vw, 2.7rem); margin: 0; }
h2 { font-size: 1.3rem; margin: 0; }
p { margin: 0; }
.wrap { width: min(66rem, 100%); margin-inline: auto; padding-inline: clamp(1rem, 4vw, 2rem); }
.top { border-bottom: 1px solid var(--line); }
.top .wrap { display: flex; flex-wrap: wrap; gap: .6rem 1rem; align-items: center; justify-content: space-between; padding-block: .8rem; }
.brand { display: flex; gap: .6rem; align-items: center; color: inherit; text-decoration: none; font: 600 1.1rem var(--serif); }
.brand img { width: 2rem; height: 2rem; display: block; }
.session { display: flex; gap: .5rem; align-items: center; color: var(--soft); font-size: .9rem; }
.session input { width: 9rem; min-height: 2.4rem; padding: .3rem .7rem; font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--line); border-radius: .6rem; }
.session input::placeholder { color: var(--soft); opacity: 1; }
main { padding-block: clamp(1.4rem, 4vw, 2.6rem) 3rem; display: grid; gap: clamp(1.2rem, 3vw, 1.8rem); }
.you { background: var(--accent-soft); border: 1px solid var(--accent-line); border-radius: 1rem; padding: clamp(1rem, 3vw, 1.5rem); display: grid; gap: .9rem; }
.you header { display: flex; justify-content: space-between; align-items: baseline; gap: 1rem; }
.reached { color: var(--soft); font-size: .88rem; }
.you h2 { font: 600 .8rem var(--sans); letter-spacing: .08em; text-transform: uppercase; color: var(--accent); }
.sentence { font: 1.2rem/1.45 var(--serif); text-wrap: pretty; }
.sentence::first-letter { text-transform: uppercase; }
.place { display: block; width: 100%; height: 1.6rem; }
.place .track { fill: var(--card); }
.place .moved { fill: var(--accent-line); }
.place .mark { fill: var(--accent); stroke: var(--accent-soft); stroke-width: 3; }
.scale { display: flex; justify-content: space-between; color: var(--soft); font-size: .8rem; margin-top: -.6rem; }
.actions { display: flex; flex-wrap: wrap; gap: .6rem; }
.actions form { display: contents; }
.button { display: inline-flex; align-items: center; justify-content: center; min-height: 2.75rem; padding: .4rem 1.15rem; border: 1px solid var(--accent); border-radius: .7rem; background: transparent; color: var(--accent); font: 600 .95rem var(--sans); text-decoration: none; white-space: nowrap; cursor: pointer; }
.button.primary { background: var(--accent); color: var(--on-accent); }
.button.small { min-height: 2.4rem; padding-inline: .9rem; font-size: .9rem; }
.button:hover { filter: brightness(1.08); }
.book { display: grid; gap: 1.4rem clamp(1.4rem, 4vw, 2.6rem); }
.cover { width: min(13rem, 56vw); height: auto; aspect-ratio: 240 / 340; border-radius: .4rem; box-shadow: var(--shadow); justify-self: center; }
.about { display: grid; gap: .8rem; align-content: start; }
.book-author { color: var(--soft); font-size: 1.1rem; font-weight: 400; }
.about > p:not(.book-author) { font-size: 1.06rem; max-width: 60ch; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(9rem, 45%), 1fr)); gap: .8rem 1.2rem; margin: .4rem 0 0; padding-top: 1rem; border-top: 1px solid var(--line); }
.facts dt { color: var(--soft); font-size: .82rem; }
.facts dd { margin: 0; font-variant-numeric: tabular-nums; }
.reviews { display: grid; gap: 1rem; }
.reviews header { display: flex; flex-wrap: wrap; gap: .5rem .9rem; align-items: baseline; }
.badge { padding: .1rem .75rem; border-radius: 99rem; background: var(--ink); color: var(--paper); font: 600 .88rem/1.7 var(--sans); }
.badge[data-version=v2] { background: var(--accent); color: var(--on-accent); }
.badge[data-version=v3] { background: var(--star-red); color: var(--card); }
.pod { color: var(--soft); font-size: .88rem; }
.cards { display: grid; gap: 1rem; }
.card { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 1rem; box-shadow: var(--shadow); padding: clamp(1rem, 3vw, 1.4rem); display: grid; gap: .7rem; align-content: start; }
.card blockquote { margin: 0; font: 1.1rem/1.55 var(--serif); }
.card figcaption { color: var(--soft); font-size: .9rem; }
.stars { font-size: 1.35rem; letter-spacing: .12em; line-height: 1; }
.stars .off { color: var(--star-off); }
.stars.black { color: var(--star-black); }
.stars.red { color: var(--star-red); }
.sorry { background: var(--harm-soft); color: var(--harm); border-radius: .8rem; padding: .8rem 1rem; }
.foot { border-top: 1px solid var(--line); color: var(--soft); font-size: .88rem; padding-block: 1.2rem 2rem; }
@media (min-width: 44rem) {
  .book { grid-template-columns: 13rem 1fr; }
  .cards { grid-template-columns: 1fr 1fr; }
}
`;
