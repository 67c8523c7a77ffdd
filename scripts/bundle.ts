/** The command line as it is installed: the last part of `npm run build`. */
import { bundle } from './bundling.js';

await bundle(['src/cli/main.ts', 'src/cli/search-thread.ts'], 'dist/cli');
