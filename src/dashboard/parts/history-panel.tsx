import { useState } from 'preact/hooks';
import type { RecordedEvent } from '../../core/release/release-event.ts';
import { clockText } from '../model/time-text.ts';
import { Panel } from './panel.tsx';
import type { Loaded } from './use-loaded.ts';

/** What `GET …/history` says; newest first. */
export interface History {
  readonly items: readonly RecordedEvent[];
}

const AT_FIRST = 10;

/** What happened, when, why, and who asked for it. */
export function HistoryPanel({ history, now }: { readonly history: Loaded<History>; readonly now: number }) {
  const [isWhole, setWhole] = useState(false);
  const items = history.kind === 'value' ? history.value.items : [];
  return (
    <Panel name="history" title="Who asked for what, and what happened">
      {history.kind === 'problem' && <p class="quiet">{history.problem.detail}</p>}
      <ol class="history">
        {(isWhole ? items : items.slice(0, AT_FIRST)).map(({ id, at, type, reason, message, by }) => (
          <li key={id}>
            <time dateTime={at} title={at}>
              {clockText(Date.parse(at), now)}
            </time>
            <span class={type === 'Warning' ? 'reason is-warning' : 'reason'}>
              {type === 'Warning' && <span aria-hidden="true">▲ </span>}
              {reason}
            </span>
            <span class="message">
              {message}
              {by === undefined ? '' : <span class="by"> by {by}</span>}
            </span>
          </li>
        ))}
      </ol>
      {items.length > AT_FIRST && (
        <button type="button" class="small" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
          {isWhole ? 'Show the newest only' : `Show all ${items.length}`}
        </button>
      )}
    </Panel>
  );
}
