import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingHttpHeaders, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { makeSelfSigned } from '../../../test/harness/self-signed.ts';
import { createApi } from '../api.ts';
import { ApiScene } from '../api-scene.cases.ts';
import { type OpenApi, openApi } from '../open-api.ts';
import type { Problem } from '../problem.ts';
import type { RuntimeLog } from '../runtime-log.ts';
import type { ApiPlace } from './api-place.ts';

/** Tokens of the scene's file. */
export const LOOK = 'look-6f1c1d3b0f0e4a7c9a5b8d2e4f607182';
export const ACT = 'act-93a4b5c6d7e8f9016f1c1d3b0f0e4a7c9';

/** What came back from a call. */
export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly socket: TLSSocket;
  /** Of a problem document; undefined for any other answer. */
  readonly code: string | undefined;
}

/** An API at a place of its own, with a certificate and tokens in a folder, and what its log says. */
export class AccessScene {
  readonly folder: string;
  readonly said: string[] = [];
  readonly scene: ApiScene;
  api: OpenApi | undefined;

  private constructor(folder: string, scene: ApiScene) {
    this.folder = folder;
    this.scene = scene;
  }

  static async create(): Promise<AccessScene> {
    const folder = mkdtempSync(join(tmpdir(), 'perch-access-'));
    makeSelfSigned(folder);
    writeFileSync(join(folder, 'tokens'), `view ${LOOK}\nact ${ACT}\n`, { mode: 0o600 });
    return new AccessScene(folder, await ApiScene.open());
  }

  get tls(): { readonly cert: string; readonly key: string } {
    return { cert: join(this.folder, 'tls.crt'), key: join(this.folder, 'tls.key') };
  }

  get tokenFile(): string {
    return join(this.folder, 'tokens');
  }

  async open(place: Omit<ApiPlace, 'port'>): Promise<OpenApi> {
    const say = (line: string): void => void this.said.push(line);
    const log: RuntimeLog = { info: say, warn: (line) => say(`warning: ${line}`), error: (line) => say(`error: ${line}`), audit: say };
    const createApp = (access: Parameters<typeof createApi>[1]) => createApi(this.scene.context, access);
    this.api = await openApi({ ...place, port: 0 }, { createApp, log, rereadMs: 20 });
    return this.api;
  }

  async close(): Promise<void> {
    await this.api?.close();
    await this.scene.close();
    rmSync(this.folder, { recursive: true });
  }

  /** A call with headers that fetch would not send; its Host is the one of the address that is called. */
  ask(method: string, path: string, headers: Readonly<Record<string, string>> = {}, body?: string): Promise<Answered> {
    const { api, tls } = this;
    if (api === undefined) throw new Error('the API is not open');
    const isTls = api.origin.startsWith('https:');
    const own = isTls ? { ca: readFileSync(tls.cert) } : {};
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: api.port, method, path, headers, agent: false, ...own };
      const outgoing = (isTls ? tlsRequest : plainRequest)(options, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        answer.on('end', () => {
          const isProblem = answer.headers['content-type'] === 'application/problem+json';
          const code = isProblem && text !== '' ? (JSON.parse(text) as Problem).code : undefined;
          const socket = outgoing.socket as TLSSocket;
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text, socket, code });
        });
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  /** The same with a token. */
  as(token: string, method: string, path: string, headers: Readonly<Record<string, string>> = {}, body?: string): Promise<Answered> {
    return this.ask(method, path, { authorization: `Bearer ${token}`, ...headers }, body);
  }
}
