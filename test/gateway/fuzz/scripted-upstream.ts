import { LlhttpParser } from '../../harness/llhttp.ts';
import { type Origin, startTcpOrigin } from '../origins.ts';

/** What an upstream says to one request. */
export interface UpstreamScript {
  readonly pieces: readonly Buffer[];
  /** Whether it closes its side afterwards. */
  readonly closes: boolean;
  /** Whether nobody may ask on this connection again: too much was said, too little, or no HTTP. */
  readonly spoils: boolean;
}

/** An upstream that says whatever a script has for the path of a request. */
export interface ScriptedUpstream {
  readonly origin: Origin;
  readonly scripts: Map<string, UpstreamScript>;
  /** What was no request, or had no script. */
  readonly errors: string[];
}

/** Starts it. */
export async function startScriptedUpstream(): Promise<ScriptedUpstream> {
  const scripts = new Map<string, UpstreamScript>();
  const errors: string[] = [];
  const origin = await startTcpOrigin((socket) => {
    const parser = new LlhttpParser('request');
    let isSpoilt = false;
    const say = async ({ pieces, closes }: UpstreamScript): Promise<void> => {
      for (const piece of pieces) {
        if (!socket.writable) return;
        socket.write(piece);
        await new Promise(setImmediate);
      }
      if (closes) socket.end();
    };
    socket.on('data', (bytes: Buffer) => {
      parser.execute(bytes);
      for (const message of parser.messages.splice(0)) {
        const script = message.complete ? scripts.get(message.target) : undefined;
        if (script === undefined) errors.push(`no request: ${JSON.stringify(bytes.toString('latin1'))}`);
        else {
          if (isSpoilt) errors.push(`asked again on a connection that is not to be used: ${message.target}`);
          isSpoilt = script.spoils;
          void say(script);
        }
      }
    });
    socket.on('end', () => socket.end());
    socket.on('close', () => parser.free());
  });
  return { origin, scripts, errors };
}
