import { useState } from 'preact/hooks';
import type { RouteTrialView } from '../../core/view/route-trial-view.ts';
import type { Answer, ApiClient } from '../data/api-client.ts';
import { readHeaderLines } from '../model/header-lines.ts';
import type { TrialProposal } from '../model/trial-proposal.ts';
import { Panel } from './panel.tsx';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

interface TrialPanelProps {
  readonly api: ApiClient;
  readonly proposal: TrialProposal;
}

/** A form for a request, and the way that it would take: nothing is sent anywhere. */
export function TrialPanel({ api, proposal }: TrialPanelProps) {
  const [listener, setListener] = useState<'ingress' | 'mesh'>();
  const [method, setMethod] = useState('GET');
  const [url, setUrl] = useState<string>();
  const [lines, setLines] = useState('Accept: text/html');
  const [cookie, setCookie] = useState('');
  const [visitorId, setVisitorId] = useState('');
  const [mistake, setMistake] = useState('');
  const [answer, setAnswer] = useState<Answer<RouteTrialView>>();

  const send = async (): Promise<void> => {
    const read = readHeaderLines(lines);
    if (!read.ok) {
      setMistake(`“${read.line.trim()}” is no header: write Name: value.`);
      return;
    }
    setMistake('');
    setAnswer(
      await api.post<RouteTrialView>('route-trials', {
        listener: listener ?? proposal.listener,
        method,
        url: url ?? proposal.url,
        headers: [...read.headers, ...(cookie.trim() === '' ? [] : [['cookie', cookie.trim()]])],
        ...(visitorId.trim() === '' ? {} : { visitorId: visitorId.trim() }),
      }),
    );
  };

  return (
    <Panel name="trial" title="Try a request">
      <p class="note">Which rule takes a request, and why not the others. Nothing is sent anywhere.</p>
      <form
        class="trial"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <label class="is-short">
          Comes in at
          <select
            value={listener ?? proposal.listener}
            onChange={(event) => setListener(event.currentTarget.value === 'mesh' ? 'mesh' : 'ingress')}
          >
            <option value="ingress">the gateway</option>
            <option value="mesh">the mesh</option>
          </select>
        </label>
        <label class="is-short">
          Method
          <select value={method} onChange={(event) => setMethod(event.currentTarget.value)}>
            {METHODS.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
        <label class="is-long">
          URL
          <input
            type="url"
            required
            spellcheck={false}
            value={url ?? proposal.url}
            onInput={(event) => setUrl(event.currentTarget.value)}
          />
        </label>
        <label class="is-wide">
          Headers, one a line
          <textarea rows={2} spellcheck={false} value={lines} onInput={(event) => setLines(event.currentTarget.value)} />
        </label>
        <label>
          Cookie
          <input spellcheck={false} autocomplete="off" value={cookie} onInput={(event) => setCookie(event.currentTarget.value)} />
        </label>
        <label>
          Visitor id
          <input spellcheck={false} autocomplete="off" value={visitorId} onInput={(event) => setVisitorId(event.currentTarget.value)} />
        </label>
        <button type="submit">Try it</button>
      </form>
      <div aria-live="polite">
        {mistake !== '' && <p class="problem">{mistake}</p>}
        {mistake === '' && answer?.kind === 'problem' && (
          <p class="problem">
            {answer.problem.detail}
            {answer.problem.code === undefined ? '' : ` (${answer.problem.code})`}
          </p>
        )}
        {mistake === '' && answer?.kind === 'value' && <Trail view={answer.value} />}
      </div>
    </Panel>
  );
}

function Trail({ view }: { readonly view: RouteTrialView }) {
  return (
    <>
      <p class="outcome">{view.sentence}</p>
      <ol class="trail">
        {view.trail.map(({ kind, object, rule, matched, text }) => (
          <li key={`${kind} ${object} ${rule} ${text}`} class={matched ? 'is-taken' : ''}>
            <span class="sign" aria-hidden="true">
              {matched ? '✓' : '✗'}
            </span>
            <span class="hidden">{matched ? 'taken: ' : 'not taken: '}</span>
            <span class="kind">{kind}</span>
            <span class="text">
              {object !== undefined && <code>{object}</code>} {rule !== undefined && <code>{rule}</code>} {text}
            </span>
          </li>
        ))}
      </ol>
      {view.notes.map((note) => (
        <p key={note} class="note">
          {note}
        </p>
      ))}
    </>
  );
}
