/**
 * The command line as few files: `holdoff run` of a small guest spent more time on loading two hundred
 * modules than on the guest. What a verb needs alone is loaded with the verb. Packages with native or
 * WebAssembly parts, and those that start threads, stay packages.
 */
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const outdir = join(root, 'dist', 'cli');

rmSync(outdir, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: ['src/cli/main.ts', 'src/cli/search-thread.ts'],
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
  external: ['bullmq', 'iced-x86', 'msgpackr', 'piscina'],
  sourcemap: true,
  logLevel: 'warning',
});
