/** The extension's settings, typed, and those that belong to the server. */

import * as vscode from 'vscode';

import type { Scope } from './scope';
import { scopeOf } from './scope';

const SECTION = 'quillon';
const SCOPES = 3;

/** Settings that the server never sees. Every other one under `quillon` is the server's. */
const OWN = ['interpreter', 'installPackage', 'reviewActions', 'trace.server'] as const;

/** Settings that need a new server process, because they name a program or shape the engine. */
const RESTARTING = ['quillon.interpreter', 'quillon.model', 'quillon.engine', 'quillon.logLevel'];

/** `quillon.interpreter`, or empty. */
export function interpreter(): string {
  return vscode.workspace.getConfiguration(SECTION).get<string>('interpreter', '').trim();
}

/** Leave the interpreter to the extension again, in every scope that names one. */
export async function forgetInterpreter(): Promise<void> {
  for (let left = SCOPES; left > 0 && interpreter() !== ''; left -= 1) {
    await write('interpreter', undefined);
  }
}

/** What pip installs into the private environment; empty where nobody said it yet. */
export function installPackage(): string {
  return vscode.workspace.getConfiguration(SECTION).get<string>('installPackage', '').trim();
}

export async function rememberInstallPackage(place: string): Promise<void> {
  await write('installPackage', place);
}

/** Whether a code action's edit is shown before it is applied. */
export function reviewsActions(): boolean {
  return vscode.workspace.getConfiguration(SECTION).get<boolean>('reviewActions', true);
}

export function needsRestart(change: vscode.ConfigurationChangeEvent): boolean {
  return RESTARTING.some((name) => change.affectsConfiguration(name));
}

export function touchesServer(change: vscode.ConfigurationChangeEvent): boolean {
  return change.affectsConfiguration(SECTION);
}

/**
 * The server's settings that someone set, nested as the server reads them: the user's, and under
 * `workspace` those of the folder, with whether it is trusted. Defaults stay the server's own: they
 * need not agree between versions.
 */
export function serverSettings(extension: vscode.Extension<unknown>): Record<string, unknown> {
  const config = vscode.workspace.getConfiguration(SECTION);
  const trusted = vscode.workspace.isTrusted;
  const restricted = trusted ? [] : restrictedNames(extension);
  const own: Record<string, unknown> = {};
  const theirs: Record<string, unknown> = {};
  for (const name of serverSettingNames(extension)) {
    const set = config.inspect(name);
    add(own, name, set?.globalValue);
    if (!restricted.includes(name))
      add(theirs, name, set?.workspaceFolderValue ?? set?.workspaceValue);
  }
  return { ...own, workspace: { trusted, settings: theirs } };
}

function add(into: Record<string, unknown>, name: string, value: unknown): void {
  // An emptied field of the settings editor is one that nobody set.
  if (value !== undefined && value !== '') nest(into, name.split('.'), value);
}

function nest(into: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [name, ...rest] = path;
  if (name === undefined) return;
  if (rest.length === 0) {
    into[name] = value;
    return;
  }
  const inner = (into[name] ??= {}) as Record<string, unknown>;
  nest(inner, rest, value);
}

interface Manifest {
  readonly version: string;
  readonly capabilities: {
    readonly untrustedWorkspaces: { readonly restrictedConfigurations: readonly string[] };
  };
  readonly contributes: {
    readonly configuration: readonly { readonly properties: Readonly<Record<string, unknown>> }[];
  };
}

/** The names of the settings that a folder must not set before it is trusted. */
function restrictedNames(extension: vscode.Extension<unknown>): readonly string[] {
  const { capabilities } = extension.packageJSON as Manifest;
  return capabilities.untrustedWorkspaces.restrictedConfigurations.map((name) =>
    name.slice(SECTION.length + 1),
  );
}

/** The names of the server's settings, as package.json has them. */
function serverSettingNames(extension: vscode.Extension<unknown>): readonly string[] {
  const manifest = extension.packageJSON as Manifest;
  return manifest.contributes.configuration
    .flatMap((section) => Object.keys(section.properties))
    .map((name) => name.slice(SECTION.length + 1))
    .filter((name) => !OWN.some((own) => own === name));
}

export function extensionVersion(extension: vscode.Extension<unknown>): string {
  return (extension.packageJSON as Manifest).version;
}

/** Whether suggestions are on at all. */
export function suggestsAnywhere(): boolean {
  return vscode.workspace.getConfiguration(SECTION).get<boolean>('inline.enabled', true);
}

/** The languages that have none, where they are on. */
export function disabledLanguages(): readonly string[] {
  const config = vscode.workspace.getConfiguration(SECTION);
  return config.get<readonly string[]>('inline.disabledLanguages', []);
}

/** Whether suggestions are on for a language. */
export function suggests(language: string): boolean {
  return suggestsAnywhere() && !disabledLanguages().includes(language);
}

export async function toggleLanguage(language: string): Promise<void> {
  const disabled = disabledLanguages();
  const next = disabled.includes(language)
    ? disabled.filter((one) => one !== language)
    : [...disabled, language];
  await write('inline.disabledLanguages', next);
}

export async function toggleSuggestions(): Promise<void> {
  await write('inline.enabled', !suggestsAnywhere());
}

/** The model that the user chose; null: none. */
export function modelPath(): string | null {
  return vscode.workspace.getConfiguration(SECTION).get<string | null>('model.path', null) || null;
}

export async function chooseModel(path: string | null): Promise<void> {
  // A folder's value that is taken away would leave that of the user, who may have another model.
  await write('model.path', path ?? (scope('model.path') === 'user' ? undefined : null));
}

/** Change a setting where it counts: what a folder sets hides what the user sets. */
async function write(name: string, value: unknown): Promise<void> {
  const targets = {
    user: vscode.ConfigurationTarget.Global,
    workspace: vscode.ConfigurationTarget.Workspace,
    folder: vscode.ConfigurationTarget.WorkspaceFolder,
  };
  await vscode.workspace.getConfiguration(SECTION).update(name, value, targets[scope(name)]);
}

function scope(name: string): Scope {
  return scopeOf(vscode.workspace.getConfiguration(SECTION).inspect(name));
}
