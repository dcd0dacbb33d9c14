// The processes of this test: they carry its runtime folder in their environment.
import fs from 'node:fs';

const OWN = `QUILLON_RUNTIME_DIR=${process.env.QUILLON_RUNTIME_DIR}`;

/** Whether a command is an engine's. */
export const isEngine = (command) => command.includes('quillon.engine') || command.includes(' engine ');

/** Whether a command is a language server's. */
export const isServer = (command) => / quillon lsp/.test(command);

/** The numbers of the processes whose command matches. */
export function processes(matches, more = () => true) {
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const command = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        const environment = fs.readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
        return environment.includes(OWN) && matches(command) && more(pid);
      } catch {
        return false;
      }
    });
}

/** Whether a process works in a folder. */
export function inside(folder) {
  return (pid) => {
    try {
      return fs.realpathSync(`/proc/${pid}/cwd`) === fs.realpathSync(folder);
    } catch {
      return false;
    }
  };
}

/** Kill the first process whose command matches, and return its number. */
export function kill(what, matches, more) {
  const [pid] = processes(matches, more);
  if (pid === undefined) throw new Error(`${what} does not run`);
  process.kill(pid, 'SIGKILL');
  return pid;
}

/** Bytes of memory of a process, what it shares counted in part. */
export function memory(pid) {
  try {
    const rollup = fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return 1024 * Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0);
  } catch {
    return 0;
  }
}
