// Stands for the Python extension: its public API, where the environment that a user selected is the
// interpreter whose path a file of the workbench's data folder holds.
const fs = require('node:fs');
const path = require('node:path');
const vscode = require('vscode');

exports.activate = (context) => {
  const data = path.resolve(context.globalStorageUri.fsPath, '..', '..', '..');
  const chosen = () => {
    try {
      return fs.readFileSync(path.join(data, 'selected-python'), 'utf8');
    } catch {
      return '';
    }
  };
  const changed = new vscode.EventEmitter();
  const watcher = fs.watch(data, (_event, name) => {
    if (name === 'selected-python') changed.fire({ path: chosen() });
  });
  context.subscriptions.push(changed, { dispose: () => watcher.close() });
  const environments = {
    getActiveEnvironmentPath: () => ({ id: chosen(), path: chosen() }),
    resolveEnvironment: async (environment) =>
      environment.path === ''
        ? undefined
        : { executable: { uri: vscode.Uri.file(environment.path) } },
    onDidChangeActiveEnvironmentPath: changed.event,
  };
  return { environments };
};
