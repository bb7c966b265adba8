import { useState } from 'preact/hooks';
import type { ProblemText } from '../data/api-client.ts';

interface TokenFormProps {
  readonly problem: ProblemText;
  readonly hasToken: boolean;
  readonly use: (token: string) => void;
}

/** Asks for the token that the API wants. */
export function TokenForm({ problem, hasToken, use }: TokenFormProps) {
  const [token, setToken] = useState('');
  return (
    <section class="empty">
      <h1>{hasToken ? 'This token does not open the page.' : 'Who asks?'}</h1>
      <p role="alert">{problem.detail}</p>
      <form
        class="token"
        onSubmit={(event) => {
          event.preventDefault();
          use(token.trim());
        }}
      >
        <label for="token">Token</label>
        <input
          id="token"
          type="password"
          autocomplete="off"
          spellcheck={false}
          required
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
        <button type="submit">Use this token</button>
      </form>
      <p class="quiet">It is kept in this tab until you close it, and sent to this address only.</p>
    </section>
  );
}
