/** Where this installation of holdoff lies, and what comes with it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The absolute path of a file of the package, as `guest/window/window.elf`. */
export function packagePath(relative: string): string {
  // Both src/cli and dist/cli lie two folders below the root.
  return fileURLToPath(new URL(`../../${relative}`, import.meta.url));
}

/** The version in package.json. */
export function holdoffVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(packagePath('package.json'), 'utf8'));
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) {
    return String(manifest.version);
  }
  throw new Error('package.json has no version');
}
