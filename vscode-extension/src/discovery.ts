/**
 * Which command starts the server. Places are asked in order; of each interpreter that does not
 * serve it is kept why, so that the message for the user can say it.
 */

import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import * as path from 'node:path';

export const OLDEST_PYTHON = [3, 11] as const;

export interface Found {
  readonly command: string;
  readonly args: readonly string[];
  /** The interpreter, where one is known. */
  readonly python: string | null;
  readonly origin: 'setting' | 'environment' | 'path' | 'private';
}

export interface Places {
  /** `quillon.interpreter`, empty when unset. */
  readonly configured: string;
  /** The environment selected in the Python extension, where there is one. */
  readonly selected: string | null;
  /** The PATH that programs are looked up on. */
  readonly searchPath: string;
  /** The interpreter of the private environment, whether or not it exists. */
  readonly privatePython: string;
}

/** An interpreter that cannot run the server, and why. */
export interface Unfit {
  readonly python: string;
  readonly reason: 'missing' | 'fails' | 'old' | 'bare';
  /** Where it is known. */
  readonly version: string;
}

export interface Discovery {
  readonly found: Found | null;
  readonly tried: readonly Unfit[];
}

/** What an interpreter says of itself. */
export interface Probe {
  readonly version: readonly [number, number];
  readonly quillon: string | null;
}

// -I keeps the workspace's folders and the user's site folder out of the import path.
const PROBE = `
import json, sys
from importlib import metadata
try:
    found = metadata.version("quillon")
except metadata.PackageNotFoundError:
    found = None
print(json.dumps({"version": sys.version_info[:2], "quillon": found}))
`;

export async function discover(places: Places): Promise<Discovery> {
  const tried: Unfit[] = [];
  if (places.configured !== '') {
    const problem = await unfit(places.configured);
    // What the user named is used or complained about, never silently replaced.
    if (problem === null) return { found: module(places.configured, 'setting'), tried };
    return { found: null, tried: [problem] };
  }
  if (places.selected !== null) {
    const problem = await unfit(places.selected);
    if (problem === null) return { found: module(places.selected, 'environment'), tried };
    tried.push(problem);
  }
  const script = await onPath('quillon', places.searchPath);
  if (script !== null)
    return { found: { command: script, args: ['lsp'], python: null, origin: 'path' }, tried };
  const problem = await unfit(places.privatePython);
  if (problem === null) return { found: module(places.privatePython, 'private'), tried };
  return { found: null, tried };
}

function module(python: string, origin: Found['origin']): Found {
  return { command: python, args: ['-I', '-m', 'quillon', 'lsp'], python, origin };
}

/** Why an interpreter cannot run the server; null when it can. */
export async function unfit(python: string): Promise<Unfit | null> {
  const probe = await probed(python);
  if (typeof probe === 'string') return { python, reason: probe, version: '' };
  const version = probe.version.join('.');
  if (tooOld(probe)) return { python, reason: 'old', version };
  return probe.quillon === null ? { python, reason: 'bare', version } : null;
}

export function tooOld(probe: Probe): boolean {
  const [major, minor] = probe.version;
  return major < OLDEST_PYTHON[0] || (major === OLDEST_PYTHON[0] && minor < OLDEST_PYTHON[1]);
}

/** Ask an interpreter; what is wrong where it gives no sensible answer. */
export function probed(python: string): Promise<Probe | 'missing' | 'fails'> {
  return new Promise((resolve) => {
    execFile(python, ['-I', '-c', PROBE], { timeout: 30_000 }, (error, stdout) => {
      if (error !== null) {
        const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
        resolve(missing ? 'missing' : 'fails');
        return;
      }
      try {
        resolve(JSON.parse(stdout) as Probe);
      } catch {
        resolve('fails');
      }
    });
  });
}

/** What a Python is called on a search path; the newest that Quillon is tried with comes first. */
export const PYTHON_NAMES = [
  ...['python3.15', 'python3.14', 'python3.13', 'python3.12', 'python3.11'],
  ...['python3', 'python'],
];

/**
 * How Python makes an environment. What is left of one whose own Python is too old, or runs no more
 * because that which it was made with is gone, is cleared away: `venv` would keep its links.
 */
export async function venvArguments(folder: string, own: string): Promise<readonly string[]> {
  const probe = await probed(own);
  const serves = typeof probe !== 'string' && !tooOld(probe);
  return ['-I', '-m', 'venv', ...(serves ? [] : ['--clear']), folder];
}

/** An executable on a search path. Relative entries are skipped: they would run the workspace's files. */
export async function onPath(name: string, searchPath: string): Promise<string | null> {
  const suffixes = process.platform === 'win32' ? ['.exe'] : [''];
  for (const folder of searchPath.split(path.delimiter).filter((entry) => path.isAbsolute(entry))) {
    for (const suffix of suffixes) {
      const candidate = path.join(folder, name + suffix);
      if (await runnable(candidate)) return candidate;
    }
  }
  return null;
}

async function runnable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
