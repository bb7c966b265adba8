import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ROOT } from '../../tools/repository.ts';
import { runCommand } from '../../tools/run-command.ts';

/** What a Dockerfile makes, as far as it is more than its base image. */
export interface ImageTree {
  /** The root of the last stage. */
  readonly root: string;
  /** The base image of the last stage. */
  readonly base: string;
  readonly workdir: string;
  readonly user: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
}

interface Stage {
  readonly root: string;
  readonly base: string;
  workdir: string;
  user: string;
  readonly environment: Record<string, string>;
  entrypoint: readonly string[];
  command: readonly string[];
}

/** What docker leaves out of what it copies from the project, as far as our .dockerignore goes: everything, but; and then some endings. */
function contextOf(ignore: string): { readonly isIn: (path: string) => boolean } {
  const lines = ignore.split('\n').filter((line) => line !== '');
  const within = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
  const endings = lines.filter((line) => line.startsWith('**/*')).map((line) => line.slice(4));
  if (within.length + endings.length + 1 !== lines.length || lines[0] !== '*')
    throw new Error('.dockerignore says what is not understood here');
  return {
    isIn: (path) => within.some((each) => path === each || path.startsWith(`${each}/`)) && !endings.some((each) => path.endsWith(each)),
  };
}

/**
 * Does step by step what `docker build` would, in folders below `folder` and with this machine's Node and npm in place of the base images', for want of a
 * Docker: it shows that the steps work and what comes of them, and nothing about the base images.
 * @throws Error for a step that fails, or that is not understood.
 */
export async function runDockerfile(folder: string): Promise<ImageTree> {
  const context = contextOf(readFileSync(join(ROOT, '.dockerignore'), 'utf8'));
  const stages = new Map<string, Stage>();
  let stage: Stage | undefined;
  const current = (): Stage => stage ?? fail('a step before FROM');

  const copy = (words: readonly string[]): void => {
    const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length);
    const paths = words.filter((word) => !word.startsWith('--'));
    const to = paths.at(-1) ?? fail('COPY to where?');
    for (const path of paths.slice(0, -1)) {
      const source = from === undefined ? join(ROOT, path) : join(stages.get(from)?.root ?? fail(`no stage ${from}`), path);
      if (!existsSync(source) || (from === undefined && !context.isIn(path))) fail(`COPY ${path}: it is not there`);
      const target = join(current().root, current().workdir, to, to.endsWith('/') ? basename(path) : '');
      const isIn = (file: string): boolean => from !== undefined || context.isIn(file.slice(ROOT.length + 1));
      cpSync(source, target, { recursive: true, verbatimSymlinks: true, filter: isIn });
    }
  };

  const steps: Readonly<Record<string, (text: string) => Promise<void> | void>> = {
    FROM(text) {
      const [, base = '', name = 'image'] = /^(\S+)(?: AS (\S+))?$/.exec(text) ?? fail(`FROM ${text}`);
      const root = join(folder, name);
      stage = { root, base, workdir: '/', user: '', environment: {}, entrypoint: [], command: [] };
      stages.set(name, stage);
      mkdirSync(root);
    },
    WORKDIR(text) {
      current().workdir = text;
      mkdirSync(join(current().root, text), { recursive: true });
    },
    COPY: (text) => copy(text.split(' ')),
    async RUN(text) {
      const { root, workdir, environment } = current();
      const env = { ...process.env, npm_config_prefer_offline: 'true', npm_config_audit: 'false', ...environment };
      const { code, output } = await runCommand('sh', ['-ec', text], { cwd: join(root, workdir), env });
      if (code !== 0) fail(`RUN ${text} (exit ${code}):\n${output}`);
    },
    ENV(text) {
      const [name = '', value = ''] = text.split('=');
      current().environment[name] = value;
    },
    USER(text) {
      current().user = text;
    },
    EXPOSE: () => {},
    ENTRYPOINT(text) {
      current().entrypoint = JSON.parse(text) as readonly string[];
    },
    CMD(text) {
      current().command = JSON.parse(text) as readonly string[];
    },
  };

  for (const line of readFileSync(join(ROOT, 'Dockerfile'), 'utf8').split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const [, instruction = '', text = ''] = /^(\S+) (.*)$/.exec(line) ?? fail(line);
    await (steps[instruction] ?? fail(`${instruction} is not understood here`))(text);
  }
  return current();
}

function fail(why: string): never {
  throw new Error(`Dockerfile: ${why}`);
}
