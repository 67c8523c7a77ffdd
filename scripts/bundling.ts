/**
 * Sources as few files: `holdoff run` of a small guest spent more time on loading two hundred modules than
 * on the guest. What a verb needs alone is loaded with the verb. Packages with native or WebAssembly parts,
 * and those that start threads, stay packages.
 */
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Writes a file for each entry, and those that they share, into a folder that is emptied first.
 * @param entries paths from the repository's root. @param folder such a path too, two folders deep: the code
 *   finds the package by its own place.
 */
export async function bundle(entries: readonly string[], folder: string): Promise<void> {
  const outdir = join(root, folder);
  rmSync(outdir, { recursive: true, force: true });
  await build({
    absWorkingDir: root,
    entryPoints: [...entries],
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // commander is CommonJS, and requires Node's own modules.
    banner: {
      js: "import { createRequire as bundleRequire } from 'node:module'; const require = bundleRequire(import.meta.url);",
    },
    external: ['bullmq', 'iced-x86', 'piscina'],
    sourcemap: true,
    logLevel: 'warning',
  });
}
