import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { perchOnPath } from '../harness/perch-on-path.ts';
import { FREE_PORTS } from '../harness/serving.ts';
import type { GuideCommand } from './guide.ts';

/** How long a command may take until it shows what the guide shows, in ms: far more than any needs. */
const PATIENCE_MS = 30_000;

/**
 * Someone who follows a guide to the letter, in an empty directory and on ports that are free: a port of the guide stands for the one that
 * a program chose and printed in its place.
 */
export class GuideReader {
  readonly dir: string;
  readonly #path: string;
  /** From the guide's ports to those of this run. */
  readonly #ports = new Map<string, string>();
  readonly #programs: ChildProcess[] = [];
  #shell: ChildProcess | undefined;
  #printed = '';
  #typed = 0;

  readonly #environment: NodeJS.ProcessEnv;

  private constructor(dir: string, path: string, environment: NodeJS.ProcessEnv) {
    this.dir = dir;
    this.#path = path;
    this.#environment = environment;
  }

  /** `environment`: what else the reader has set. */
  static async start(environment: NodeJS.ProcessEnv = {}): Promise<GuideReader> {
    const dir = await mkdtemp(join(tmpdir(), 'perch-guide-'));
    return new GuideReader(dir, await perchOnPath(dir), environment);
  }

  /** Saves a file. */
  async save(path: string, text: string): Promise<void> {
    const file = join(this.dir, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, this.#withPorts(text));
  }

  /** Starts a program that goes on running; returns what it prints, but for its log of who changed what, once that has as many lines as the guide shows. */
  async startProgram({ command, output }: GuideCommand): Promise<readonly string[]> {
    // Programs take any free port: the guide's own may be taken.
    const started = command.startsWith('perch serve') ? `${command} ${FREE_PORTS.join(' ')}` : command.replace(/ \d{4,5}$/, ' 0');
    const program = this.#spawn(['-c', `exec ${started}`]);
    this.#programs.push(program);
    let text = '';
    program.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    program.stderr?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    const lines = (): readonly string[] => {
      const printed = text.split('\n').slice(0, -1);
      return printed.filter((line) => !line.startsWith('audit: '));
    };
    await until(() => lines().length >= output.length || program.exitCode !== null);
    for (const [index, line] of lines().entries()) this.#learn(output[index] ?? '', line);
    return this.#normal(lines());
  }

  /** Types a command into the reader's shell; returns what it prints. */
  async run({ command }: GuideCommand): Promise<readonly string[]> {
    this.#shell ??= this.#openShell();
    this.#printed = '';
    this.#typed++;
    const done = `command ${this.#typed} is over`;
    this.#shell.stdin?.write(`${this.#withPorts(command)}\necho "${done}"\n`);
    await until(() => this.#printed.endsWith(`${done}\n`));
    return this.#normal(this.#printed.split('\n').slice(0, -2));
  }

  /** What the guide shows, in the form in which `run` and `startProgram` give what was printed. */
  shown({ output }: GuideCommand): readonly string[] {
    return this.#normal(output);
  }

  async close(): Promise<void> {
    const processes = [...this.#programs, ...(this.#shell === undefined ? [] : [this.#shell])];
    await Promise.all(
      processes.map(
        (process) =>
          new Promise<void>((resolve) => {
            if (process.exitCode !== null) resolve();
            process.once('exit', () => resolve());
            process.kill('SIGKILL');
          }),
      ),
    );
    await rm(this.dir, { recursive: true, force: true });
  }

  #openShell(): ChildProcess {
    const shell = this.#spawn(['--norc', '--noprofile']);
    for (const stream of [shell.stdout, shell.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#printed += chunk.toString();
      });
    }
    return shell;
  }

  #spawn(args: readonly string[]): ChildProcess {
    const api = this.#ports.get('7070');
    return spawn('bash', [...args], {
      cwd: this.dir,
      env: {
        ...process.env,
        PATH: this.#path,
        HOME: dirname(this.dir),
        NO_COLOR: '1',
        ...this.#environment,
        ...(api === undefined ? {} : { PERCH_SERVER: `http://127.0.0.1:${api}` }),
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  }

  /** Ports of the guide stand where this run printed others. */
  #learn(shown: string, printed: string): void {
    const [shownPorts, printedPorts] = [shown, printed].map((line) => line.match(/(?<=listens on |:)\d{4,5}\b/g) ?? []);
    for (const [index, port] of (shownPorts ?? []).entries()) {
      const actual = printedPorts?.[index];
      if (actual !== undefined) this.#ports.set(port, actual);
    }
  }

  #withPorts(text: string): string {
    // Declared ports stay: `perch serve --map` moves the listeners only, and services of the mesh are not listened to here.
    const isAddress = /(?<=localhost:|127\.0\.0\.1:|ports: \{http: )\d{4,5}\b/g;
    return text.replaceAll(isAddress, (port) => this.#ports.get(port) ?? port);
  }

  /** Without what differs from run to run: ports, places, versions and times. */
  #normal(lines: readonly string[]): readonly string[] {
    const guidePorts = new Map([...this.#ports].map(([shown, actual]) => [actual, shown]));
    return lines.map((line) =>
      line
        .replaceAll(/(?<=listens on |:)\d{4,5}\b/g, (port) => guidePorts.get(port) ?? port)
        .replace(/ +\(declared \d+\)$/, '')
        .replace(/^( {2}data +).*$/, '$1DIR')
        .replace(/^perch \d+\.\d+\.\d+ (serves|controls)/, 'perch VERSION $1')
        .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
        .replaceAll(/\b(?:\d+(?:ms|[smhd]))+(?= old|$)/g, 'AGE')
        .replaceAll(/(?<= {2})(?:\d+(?:ms|[smhd]))+ {2,}/g, 'AGE  ')
        .replaceAll(/\(by \S+@\S+\)/g, '(by YOU)')
        .trimEnd(),
    );
  }
}

async function until(isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!isSo() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
}
