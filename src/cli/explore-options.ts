/** What `holdoff explore` takes from its command line. */
import type { ImageFolders } from './image-options.js';
import type { MachineOptions } from './machine-options.js';
import type { RangeOptions } from './placement-range.js';
import type { RedisAddress } from './redis-address.js';
import type { EventOptions, VerdictOptions } from './search-options.js';

/** What `holdoff explore` may be told. */
export type ExploreOptions = MachineOptions &
  ImageFolders &
  VerdictOptions &
  EventOptions &
  RangeOptions & {
    readonly pairs?: true;
    /** With `pairs`: how far behind the first one the second one may come. */
    readonly within?: number;
    readonly out?: string;
    readonly json?: true;
    readonly workers: number;
    readonly queue?: RedisAddress;
    readonly resume?: true;
  };
