/** The server's process: started without a shell, its last words kept, ended for certain. */

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { PassThrough, pipeline } from 'node:stream';

import type { Found } from './discovery';

/** Why a program does not serve, where another start would end the same way. */
export class NotServing extends Error {}

/** A program that the system does not start; `code` is the system's word for why. */
export class CannotStart extends Error {
  constructor(
    readonly command: string,
    readonly code: string,
  ) {
    super(`${command}: ${code}`);
  }

  /** Whether it will be so the next time; else the system lacks something for now, as memory. */
  get lasts(): boolean {
    return ['ENOENT', 'EACCES', 'EPERM', 'ENOEXEC', 'ENOTDIR'].includes(this.code);
  }
}

const LAST_LINES = 8;
const OPENING = 'content-';
const SHOWN_LETTERS = 200;

export class ServerProcess {
  #lines: string[] = [];
  readonly #child: ChildProcessWithoutNullStreams;

  private constructor(child: ChildProcessWithoutNullStreams, log: (line: string) => void) {
    this.#child = child;
    let rest = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split(/\r?\n/);
      rest = lines.pop() ?? '';
      lines.forEach(log);
      this.#lines = [...this.#lines, ...lines].slice(-LAST_LINES);
    });
  }

  /** Resolves when the process runs; rejects with `CannotStart` when it cannot. */
  static start(found: Found, cwd: string, log: (line: string) => void): Promise<ServerProcess> {
    return new Promise((resolve, reject) => {
      // In a folder that is gone nothing starts, with an error that blames the program.
      const place = existsSync(cwd) ? cwd : homedir();
      const child = spawn(found.command, found.args, {
        cwd: place,
        stdio: ['pipe', 'pipe', 'pipe'],
      });
      const own = new ServerProcess(child, log);
      child.once('spawn', () => resolve(own));
      child.once('error', (error: NodeJS.ErrnoException) =>
        reject(new CannotStart(found.command, error.code ?? error.message)),
      );
      // A server that is gone while something is written to it is reported by its closing.
      child.stdin.on('error', () => {});
    });
  }

  /** Where messages are written. */
  get input(): Writable {
    return this.#child.stdin;
  }

  /**
   * The messages, for one reader. A program that is no server would leave that reader waiting for
   * the end of a header: `otherwise` gets its first line instead.
   */
  messages(otherwise: (line: string) => void): Readable {
    const { stdout } = this.#child;
    stdout.once('data', (bytes: Buffer) => {
      const text = bytes.toString('utf8');
      const start = text.slice(0, OPENING.length).toLowerCase();
      if (OPENING.startsWith(start)) return;
      const line = text.split(/\r?\n/).find((one) => one.trim() !== '') ?? '';
      otherwise(line.trim().slice(0, SHOWN_LETTERS));
    });
    // What comes before there is a reader waits in the pipe.
    return pipeline(stdout, new PassThrough(), () => {});
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** How it ended and what it said last, for a person; empty while nothing is known. */
  get lastWords(): string {
    const last = this.#lines.filter((line) => line.trim() !== '').at(-1) ?? '';
    const { exitCode, signalCode } = this.#child;
    const end = signalCode ?? (exitCode === null ? '' : `exit status ${exitCode}`);
    return [end, last].filter((part) => part !== '').join(': ');
  }

  /** Resolves when the process has ended, or when that takes longer than so many milliseconds. */
  exited(patience: number): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, patience);
      child.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Resolves when the process has ended, with force after so many milliseconds. */
  end(patience: number): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => child.kill('SIGKILL'), patience);
      child.once('exit', () => {
        clearTimeout(timer);
        resolve();
      });
      child.stdin.end();
    });
  }
}
