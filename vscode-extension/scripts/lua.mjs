// Formats Lua as nvim/.stylua.toml says, or with --check only complains: lua.mjs [--check] FOLDER...
import { createRequire } from 'node:module';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const stylua = createRequire(import.meta.url)('@johnnymorganz/stylua');

const check = process.argv.includes('--check');
const folders = process.argv.slice(2).filter((argument) => argument !== '--check');

function config() {
  const made = stylua.Config.new();
  made.column_width = 100;
  made.indent_type = stylua.IndentType.Spaces;
  made.indent_width = 2;
  made.quote_style = stylua.QuoteStyle.AutoPreferSingle;
  return made;
}

for (const folder of folders) {
  const names = (await readdir(folder, { recursive: true })).filter((name) =>
    name.endsWith('.lua'),
  );
  for (const file of names.map((name) => join(folder, name)).sort()) {
    const before = await readFile(file, 'utf8');
    const after = stylua.formatCode(before, config(), undefined, stylua.OutputVerification.None);
    if (after === before) continue;
    if (check) {
      process.exitCode = 1;
      process.stderr.write(`${file} is not formatted: npm run lua\n`);
    } else {
      await writeFile(file, after);
    }
  }
}
