// Stands for the Python extension: its public API, where the environment that a user selected is the
// interpreter whose path a file of the workbench's data folder holds; and a checker, which reports a
// problem of the file whose path another one holds.
const fs = require('node:fs');
const path = require('node:path');
const vscode = require('vscode');

exports.activate = (context) => {
  const data = path.resolve(context.globalStorageUri.fsPath, '..', '..', '..');
  const held = (name) => {
    try {
      return fs.readFileSync(path.join(data, name), 'utf8');
    } catch {
      return '';
    }
  };
  const chosen = () => held('selected-python');
  const changed = new vscode.EventEmitter();
  const problems = vscode.languages.createDiagnosticCollection('checker');
  const check = () => {
    problems.clear();
    const file = held('wrong-file');
    const problem = new vscode.Diagnostic(new vscode.Range(2, 0, 2, 4), 'The name is not defined.');
    if (file !== '') problems.set(vscode.Uri.file(file), [problem]);
  };
  const watcher = fs.watch(data, (_event, name) => {
    if (name === 'selected-python') changed.fire({ path: chosen() });
    if (name === 'wrong-file') check();
  });
  context.subscriptions.push(changed, problems, { dispose: () => watcher.close() });
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
