// Bundles the extension and the chat page into dist/, and with --test the unit tests into out/.
import { build } from 'esbuild';
import { copyFile, readdir, rm } from 'node:fs/promises';

const tests = process.argv.includes('--test');
const shared = {
  bundle: true,
  target: 'node20',
  platform: 'node',
  logLevel: 'warning',
  sourcemap: tests ? 'inline' : false,
  minify: !tests,
};

if (tests) {
  const files = (await readdir('test')).filter((name) => name.endsWith('.test.ts'));
  await rm('out', { recursive: true, force: true });
  await build({
    ...shared,
    entryPoints: files.map((name) => `test/${name}`),
    outdir: 'out',
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
} else {
  await rm('dist', { recursive: true, force: true });
  await build({
    ...shared,
    entryPoints: ['src/extension.ts'],
    outfile: 'dist/extension.js',
    format: 'cjs',
    external: ['vscode'],
  });
  await build({
    ...shared,
    platform: 'browser',
    target: 'es2022',
    entryPoints: ['src/chat/view/page.ts'],
    outfile: 'dist/chat.js',
    format: 'iife',
  });
  await copyFile('src/chat/view/chat.css', 'dist/chat.css');
}
