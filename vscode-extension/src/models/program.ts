/** The command line of the server that was found: `quillon model …`, its output as JSON. */

import { execFile, spawn } from 'node:child_process';

import type { Found } from '../discovery';
import type { PullEvent } from './catalogue';
import { errorIn, jsonLines, Lines } from './catalogue';

const LISTING_SECONDS = 60;
const KEPT_LETTERS = 10_000;

/** The program ended without a sentence of its own; `output` is what it complained about. */
export class NoAnswer extends Error {
  constructor(
    /** Its exit status, or the system's word for why it did not run to its end. */
    readonly end: string,
    readonly output: string,
  ) {
    super(`quillon model: ${end}`);
  }
}

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  /** That of the editor, in which the program's own sentences are. */
  readonly language: string;
}

/** The command that started the server, without what made it one. */
export function quillonCommand(found: Found, language: string): Command {
  return { command: found.command, args: found.args.slice(0, -1), language };
}

function environment({ language }: Command): NodeJS.ProcessEnv {
  return { ...process.env, QUILLON_LANGUAGE: language };
}

/** What a listing command says. Rejects with its own sentence, or `NoAnswer`. */
export function listed(program: Command, more: readonly string[]): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const env = environment(program);
    const options = { timeout: LISTING_SECONDS * 1000, maxBuffer: 2 ** 24, env };
    execFile(
      program.command,
      [...program.args, ...more, '--json'],
      options,
      (error, stdout, stderr) => {
        const lines = jsonLines(stdout);
        const problem = errorIn(lines);
        // The list is whole even where the chosen model is a broken one.
        if (lines.length > 0 && problem === null) resolve([...lines]);
        else if (problem !== null) reject(new Error(problem));
        else reject(new NoAnswer(String(error?.code ?? error?.signal ?? 0), stderr));
      },
    );
  });
}

/**
 * Download a model; resolves with what goes into `model.path`, or null where it was stopped. What
 * came is kept by the server, and the next download of the same goes on from there. Rejects as
 * `listed` does.
 */
export function pulled(
  program: Command,
  what: string,
  tell: (event: PullEvent) => void,
  stop: AbortSignal,
): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(program.command, [...program.args, 'model', 'pull', what, '--json'], {
      env: environment(program),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const end = (): void => void child.kill();
    stop.addEventListener('abort', end, { once: true });
    if (stop.aborted) end();
    const lines = new Lines();
    let setting: string | null = null;
    let problem: string | null = null;
    let complaints = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaints = (complaints + text).slice(-KEPT_LETTERS);
    });
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const events = lines.take(text);
      problem = errorIn(events) ?? problem;
      for (const event of events as readonly PullEvent[]) {
        if (event.event === 'pulled') setting = event.setting ?? setting;
        tell(event);
      }
    });
    child.on('error', (error: NodeJS.ErrnoException) =>
      reject(new NoAnswer(error.code ?? error.message, '')),
    );
    child.on('close', (code, signal) => {
      stop.removeEventListener('abort', end);
      if (stop.aborted) resolve(null);
      else if (code === 0 && setting !== null) resolve(setting);
      else if (problem !== null) reject(new Error(problem));
      else reject(new NoAnswer(String(code ?? signal), complaints));
    });
  });
}
