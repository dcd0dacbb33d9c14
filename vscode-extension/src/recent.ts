/** An output channel whose last lines can be read back, for the problem report. */

import * as vscode from 'vscode';

const MOST = 200;

export interface RecentLog {
  readonly channel: vscode.LogOutputChannel;
  readonly lines: () => readonly string[];
}

export function recentLog(name: string): RecentLog {
  const channel = vscode.window.createOutputChannel(name, { log: true });
  let lines: readonly string[] = [];
  const note = (level: string, text: string): void => {
    lines = [...lines, ...text.split('\n').map((line) => `${level} ${line}`)].slice(-MOST);
  };
  const watched = new Proxy(channel, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      return (...parameters: unknown[]): unknown => {
        if (property === 'info' || property === 'warn' || property === 'error') {
          note(property, parameters.map(String).join(' '));
        }
        return Reflect.apply(value, target, parameters);
      };
    },
  });
  return { channel: watched, lines: () => lines };
}
