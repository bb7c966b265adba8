import { useEffect, useRef, useState } from 'preact/hooks';
import type { ApiClient, ProblemText } from '../data/api-client.ts';
import type { Action } from '../model/actions.ts';
import { keyOf, type Release } from '../model/release.ts';
import { useLoaded } from './use-loaded.ts';

/** How long a request is waited for before the page says that it goes on by itself, in ms. */
const WAIT_MS = 20_000;
/** Where the reader's name is remembered, in this browser. */
const NAME_KEY = 'perch.name';

/** What `GET …/forecast` says, as far as the dialog reads it. */
interface Forecast {
  readonly allowed: boolean;
  readonly sentence: string;
}

interface ConfirmDialogProps {
  readonly release: Release;
  readonly asked: Action;
  /** What the same request is by now; undefined where it is not possible any more. */
  readonly offered: Action | undefined;
  readonly api: ApiClient;
  /** `result` is what came of it; undefined where nothing was asked. */
  readonly close: (result?: string) => void;
}

/** Asks once more, and says what will happen to how many visitors; then asks the API, and stays where that is refused. */
export function ConfirmDialog({ release, asked, offered, api, close }: ConfirmDialogProps) {
  const { action, isFull, label, question } = asked;
  const dialog = useRef<HTMLDialogElement>(null);
  const safe = useRef<HTMLButtonElement>(null);
  const [by, setBy] = useState(() => window.localStorage.getItem(NAME_KEY) ?? '');
  const [isWaiting, setWaiting] = useState(false);
  const [problem, setProblem] = useState<ProblemText>();
  const path = `releases/${keyOf(release)}`;
  // Somebody was quicker, or a hold ended. Of what is not possible any more the forecast says why.
  const isOutdated = !isWaiting && offered !== undefined && offered.question !== question;
  const standing = useRef('');
  if (!isWaiting) standing.current = `${release.status?.phase} ${release.status?.step}`;
  const forecast = useLoaded<Forecast>(api, `${path}/forecast?action=${action}${isFull ? '&full=true' : ''}`, standing.current);
  useEffect(() => {
    dialog.current?.showModal();
    // The safe choice: whoever presses Enter twice changes nothing.
    safe.current?.focus();
  }, []);

  // The dialog gives the focus back to the button that opened it.
  const leave = (result?: string): void => {
    dialog.current?.close();
    close(result);
  };

  const confirm = async (): Promise<void> => {
    setWaiting(true);
    setProblem(undefined);
    window.localStorage.setItem(NAME_KEY, by);
    const name = by.trim() === '' ? 'somebody at the dashboard' : by.trim();
    const body = { action, by: name, ...(isFull ? { full: true } : {}) };
    const answer = await api.post<{ readonly outcome?: string; readonly message?: string }>(`${path}/requests?wait=${WAIT_MS}`, body);
    setWaiting(false);
    if (answer.kind === 'problem') {
      setProblem(answer.problem);
      return;
    }
    const { outcome, message } = answer.value;
    leave(
      outcome === 'done'
        ? `${label}: done${message === undefined ? '' : `, ${message}`}.`
        : `${label}: asked for; it happens as soon as it can.`,
    );
  };

  return (
    <dialog
      ref={dialog}
      aria-labelledby="question"
      onCancel={(event) => {
        // Escape; not while the answer is on its way.
        event.preventDefault();
        if (!isWaiting) leave();
      }}
    >
      <h2 id="question">{question}</h2>
      <p class="forecast" aria-live="polite">
        {isOutdated && 'The release has moved on since you asked: cancel, and look again.'}
        {!isOutdated && forecast.kind === 'loading' && 'Counting whom this moves …'}
        {!isOutdated && forecast.kind === 'value' && forecast.value.sentence}
        {!isOutdated && forecast.kind === 'problem' && 'How many visitors this moves is not known here.'}
      </p>
      <label for="by">Your name, for the history</label>
      <input id="by" maxLength={200} value={by} autocomplete="name" onInput={(event) => setBy(event.currentTarget.value)} />
      {problem !== undefined && (
        <p role="alert" class="problem">
          <strong>It was refused:</strong> {problem.detail}
          {problem.code === undefined ? '' : ` (${problem.code})`}
        </p>
      )}
      <div class="choices">
        <button ref={safe} type="button" onClick={() => leave()} disabled={isWaiting}>
          {problem === undefined ? 'Cancel' : 'Close'}
        </button>
        <button
          type="button"
          class="main"
          onClick={() => void confirm()}
          disabled={isWaiting || isOutdated || (forecast.kind === 'value' && !forecast.value.allowed)}
        >
          {isWaiting ? 'Waiting for the routes …' : label}
        </button>
      </div>
    </dialog>
  );
}
