// Compiles native/sum.c, or another source, with the C compiler of this machine and the headers that
// come with Node.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The add-on's exports, or in `missing` what it takes to build it and is not here. */
export function buildAddOn(file = new URL('../native/sum.c', import.meta.url)) {
  const headers = join(dirname(dirname(process.execPath)), 'include', 'node');
  if (!existsSync(join(headers, 'node_api.h'))) return { missing: 'the headers of Node' };
  const folder = mkdtempSync(join(tmpdir(), 'sum-'));
  try {
    const built = join(folder, 'built.node');
    // A shared library on macOS has to be told that Node brings the functions it calls.
    const linking = process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : [];
    const flags = ['-shared', '-fPIC', '-O1', `-I${headers}`, ...linking];
    const { status } = spawnSync(process.env.CC ?? 'cc', [
      ...flags,
      '-o',
      built,
      fileURLToPath(file),
    ]);
    if (status !== 0) return { missing: 'a C compiler' };
    return { addOn: createRequire(import.meta.url)(built) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
