/** Where a setting has the value that counts. */

export type Scope = 'user' | 'workspace' | 'folder';

interface Inspected {
  readonly workspaceValue?: unknown;
  readonly workspaceFolderValue?: unknown;
}

/** The innermost scope that has a value: the user's where none has. */
export function scopeOf(inspected: Inspected | undefined): Scope {
  if (inspected?.workspaceFolderValue !== undefined) return 'folder';
  return inspected?.workspaceValue === undefined ? 'user' : 'workspace';
}
