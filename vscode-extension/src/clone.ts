/** Whether a folder holds Quillon's sources. */

import { readFile } from 'node:fs/promises';
import * as path from 'node:path';

/** A folder that pip would install something else from is none. */
export async function isClone(folder: string): Promise<boolean> {
  try {
    const text = await readFile(path.join(folder, 'pyproject.toml'), 'utf8');
    return /^name\s*=\s*["']quillon["']/m.test(text);
  } catch {
    return false;
  }
}
