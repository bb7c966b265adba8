import { useState } from 'preact/hooks';
import type { WovenRoutesView } from '../../core/view/woven-routes-view.ts';
import { foldDiff } from '../model/fold-diff.ts';
import { Panel } from './panel.tsx';
import { Scrolls } from './scrolls.tsx';
import type { Loaded } from './use-loaded.ts';

const SHOWN = ['changes', 'base', 'woven'] as const;
const NAMES: Readonly<Record<(typeof SHOWN)[number], string>> = { changes: 'What is woven in', base: 'As applied', woven: 'As served' };
const SIGN_WORDS = { '+': 'added: ', '-': 'taken out: ', ' ': '' } as const;

/** The routes of this moment beside the base, as a diff. */
export function RoutesPanel({ routes }: { readonly routes: Loaded<WovenRoutesView> }) {
  const [shown, setShown] = useState<(typeof SHOWN)[number]>('changes');
  if (routes.kind === 'problem' && routes.problem.status === 404) return null;
  const items = routes.kind === 'value' ? routes.value.items : [];
  return (
    <Panel
      name="routes"
      title="Routes"
      aside={
        <fieldset class="choice">
          <legend class="hidden">What of the routes is shown</legend>
          {SHOWN.map((each) => (
            <label key={each}>
              <input type="radio" name="shown" checked={shown === each} onChange={() => setShown(each)} /> {NAMES[each]}
            </label>
          ))}
        </fieldset>
      }
    >
      {routes.kind === 'problem' && <p class="quiet">{routes.problem.detail}</p>}
      {routes.kind === 'value' && items.length === 0 && <p class="quiet">Nothing is woven into any route now.</p>}
      {items.map(({ kind, namespace, name, base, woven, lines }) => (
        <details key={`${kind} ${namespace}/${name}`} open>
          <summary>
            {kind} {namespace}/{name}
          </summary>
          <Scrolls label={`${NAMES[shown]}: ${kind} ${namespace}/${name}`} isCode>
            {shown === 'changes' ? <Diff lines={lines} /> : <pre>{shown === 'base' ? base : woven}</pre>}
          </Scrolls>
        </details>
      ))}
    </Panel>
  );
}

function Diff({ lines }: { readonly lines: WovenRoutesView['items'][number]['lines'] }) {
  const [isWhole, setWhole] = useState(false);
  if (!lines.some(({ sign }) => sign !== ' ')) return <p class="quiet">It is served as it was applied.</p>;
  const parts = isWhole ? [{ kind: 'lines', lines, start: 0 } as const] : foldDiff(lines);
  return (
    <pre>
      {parts.map((part) =>
        part.kind === 'fold' ? (
          <button key={part.start} type="button" class="fold" onClick={() => setWhole(true)}>
            {part.count} lines that stay: show them
          </button>
        ) : (
          part.lines.map(({ sign, text }, index) => (
            <span key={part.start + index} class={sign === ' ' ? 'line' : sign === '+' ? 'line is-added' : 'line is-removed'}>
              <span aria-hidden="true">{sign} </span>
              {sign !== ' ' && <span class="hidden">{SIGN_WORDS[sign]}</span>}
              {text}
              {'\n'}
            </span>
          ))
        ),
      )}
    </pre>
  );
}
