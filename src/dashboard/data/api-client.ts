/** What the API says is wrong (RFC 9457), as far as the page shows it. */
export interface ProblemText {
  /** HTTP status; 0 where nothing answered. */
  readonly status: number;
  readonly detail: string;
  /** `PERCH4008`; absent where something else than Perch answered. */
  readonly code?: string;
}

/** What came of a call. */
export type Answer<Value> =
  | { readonly kind: 'value'; readonly value: Value; readonly status: number }
  | { readonly kind: 'problem'; readonly problem: ProblemText };

/** Where the bearer token is kept: for this tab, until it is closed. */
const TOKEN_KEY = 'perch.token';

/** The HTTP API below the page's own address, so that the page also works behind a proxy's path. */
export class ApiClient {
  readonly #base: string;
  readonly #tokens: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

  constructor(base: string, tokens: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>) {
    this.#base = base;
    this.#tokens = tokens;
  }

  /** Keeps the token that further calls carry; an empty one: none. */
  setToken(token: string): void {
    if (token === '') this.#tokens.removeItem(TOKEN_KEY);
    else this.#tokens.setItem(TOKEN_KEY, token);
  }

  get hasToken(): boolean {
    return this.#tokens.getItem(TOKEN_KEY) !== null;
  }

  /** The raw answer. Rejects where nothing answers. */
  async open(path: string, init: RequestInit = {}): Promise<Response> {
    const token = this.#tokens.getItem(TOKEN_KEY);
    const headers = {
      ...(init.headers as Record<string, string> | undefined),
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    };
    return await fetch(new URL(`api/v1/${path}`, this.#base), { ...init, headers, cache: 'no-store', credentials: 'same-origin' });
  }

  async get<Value>(path: string, signal?: AbortSignal): Promise<Answer<Value>> {
    return await this.#call(path, signal === undefined ? {} : { signal });
  }

  async post<Value>(path: string, body: unknown): Promise<Answer<Value>> {
    return await this.#call(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  }

  async #call<Value>(path: string, init: RequestInit): Promise<Answer<Value>> {
    try {
      const response = await this.open(path, init);
      if (!response.ok) return { kind: 'problem', problem: await problemOf(response) };
      return { kind: 'value', value: (await response.json()) as Value, status: response.status };
    } catch (error) {
      return {
        kind: 'problem',
        problem: { status: 0, detail: `nothing answered: ${error instanceof Error ? error.message : 'unknown error'}` },
      };
    }
  }
}

/** The problem that an answer carries; one of its status alone where it carries none. */
export async function problemOf(response: Response): Promise<ProblemText> {
  const { status } = response;
  try {
    const document: unknown = await response.json();
    if (typeof document === 'object' && document !== null && 'detail' in document && typeof document.detail === 'string') {
      const code = 'code' in document && typeof document.code === 'string' ? { code: document.code } : {};
      return { status, detail: document.detail, ...code };
    }
  } catch {
    // Not JSON: somebody between here and Perch answered.
  }
  return { status, detail: `the answer was ${status} ${response.statusText}`.trimEnd() };
}
