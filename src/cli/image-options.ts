/** The options for images that a trace names and does not hold. Parsing alone. */
import { Option } from 'commander';

/** For every verb that may write a trace of an image that it runs. */
export function imagesOption(): Option {
  return new Option('--images <where>', 'whether a trace holds its images, or names the files')
    .choices(['inside', 'outside'])
    .default('inside');
}

/** Where the verbs that read a trace look for images that are outside of it. */
export interface ImageFolders {
  /** Folders to look in before all other places. */
  readonly imageFolder?: readonly string[];
}

/** `--image-folder`, which may be given several times. */
export function imageFolderOption(): Option {
  return new Option(
    '--image-folder <folder>',
    'look here for images that the trace names and does not hold',
  ).argParser((text: string, before: readonly string[] | undefined) => [...(before ?? []), text]);
}
