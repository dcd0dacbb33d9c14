// What is loaded when the extension is: activation.cjs EXTENSION prints the names of modules as JSON.
const Module = require('node:module');
const path = require('node:path');

// Whatever is asked of the editor's interface while the bundle is evaluated is itself again.
const anything = new Proxy(class {}, {
  get: (target, name) => {
    if (name === Symbol.toPrimitive) return () => '';
    return name === 'prototype' ? target.prototype : anything;
  },
  apply: () => anything,
  construct: () => anything,
});
const names = [];
const load = Module._load;
Module._load = function (name, parent, isMain) {
  if (!isMain && parent?.filename?.endsWith('extension.js')) names.push(name);
  return name === 'vscode' ? anything : load.call(this, name, parent, isMain);
};
require(path.resolve(process.argv[2]));
console.log(JSON.stringify([...new Set(names)].sort()));
