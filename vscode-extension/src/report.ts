/** A problem report for the user to read before sending: versions, state, log; no code. */

import * as os from 'node:os';
import * as vscode from 'vscode';

import type { Parts } from './commands';
import { extensionVersion } from './config';
import { anonymous, known } from './privacy';

export async function reportProblem(parts: Parts): Promise<void> {
  const user = known(() => os.userInfo().username) || process.env['USER'] || '';
  const content = anonymous(lines(parts).join('\n'), known(os.homedir), user);
  const document = await vscode.workspace.openTextDocument({ language: 'markdown', content });
  await vscode.window.showTextDocument(document);
}

function lines({ context, server, status, recent }: Parts): readonly string[] {
  const state = server.state;
  const info =
    state.kind === 'running' ? state.connection.client.initializeResult?.serverInfo : undefined;
  const engine = status.status;
  return [
    `# ${vscode.l10n.t('Quillon: problem report')}`,
    '',
    vscode.l10n.t('What happened, and what did you expect? (Your code is not in this report.)'),
    '',
    '',
    `## ${vscode.l10n.t('Versions')}`,
    '',
    `- Quillon extension ${extensionVersion(context.extension)}`,
    `- Quillon server ${info === undefined ? '-' : `${info.name} ${info.version ?? ''}`}`,
    `- ${vscode.env.appName} ${vscode.version}${vscode.env.remoteName ? `, ${vscode.env.remoteName}` : ''}`,
    `- ${os.type()} ${os.release()} ${os.arch()}, ${os.cpus().length} CPUs, ${Math.round(os.totalmem() / 2 ** 30)} GiB`,
    '',
    `## ${vscode.l10n.t('State')}`,
    '',
    `- server: ${state.kind}${state.kind === 'failed' ? `: ${state.problem}` : ''}`,
    `- started from: ${state.kind === 'running' ? state.found.origin : '-'}`,
    `- engine: ${engine === null ? '-' : `${engine.state}, ${engine.model}, context ${engine.context}`}`,
    `- settings changed: ${settingNames(server.settings()).join(', ') || '-'}`,
    '',
    `## ${vscode.l10n.t('Log')}`,
    '',
    '```text',
    ...recent().map((line) => line.replaceAll('```', "'''")),
    '```',
    '',
  ];
}

/** The names of settings, without their values. */
function settingNames(settings: Record<string, unknown>, prefix = ''): readonly string[] {
  return Object.entries(settings).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? settingNames(value as Record<string, unknown>, `${prefix}${name}.`)
      : [`${prefix}${name}`],
  );
}
