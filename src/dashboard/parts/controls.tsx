import { useState } from 'preact/hooks';
import type { ApiClient } from '../data/api-client.ts';
import type { Action } from '../model/actions.ts';
import type { Release } from '../model/release.ts';
import { ConfirmDialog } from './confirm-dialog.tsx';

interface ControlsProps {
  readonly release: Release;
  readonly actions: readonly Action[];
  readonly api: ApiClient;
}

/** What can be asked of the release, and what came of the last thing that was. */
export function Controls({ release, actions, api }: ControlsProps) {
  const [asked, setAsked] = useState<Action>();
  const [result, setResult] = useState('');
  return (
    <section class="controls" aria-label="Controls">
      {actions.map((action) => (
        <button
          key={`${action.action} ${action.isFull}`}
          type="button"
          class={action === actions[0] && action.action !== 'rollback' ? 'main' : ''}
          onClick={() => {
            setResult('');
            setAsked(action);
          }}
        >
          {action.label}
        </button>
      ))}
      <p role="status" class="result">
        {result}
      </p>
      {asked !== undefined && (
        <ConfirmDialog
          release={release}
          asked={asked}
          offered={actions.find(({ action, isFull }) => action === asked.action && isFull === asked.isFull)}
          api={api}
          close={(text) => {
            setAsked(undefined);
            setResult(text ?? '');
          }}
        />
      )}
    </section>
  );
}
