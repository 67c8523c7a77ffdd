/**
 * What a trace starts with, its images included: those that lie in it, and the files of those that lie
 * outside, which are taken by their content alone. Where they are is the trace's word, and a trace is
 * untrusted: nothing but a regular file of the right size is opened.
 */
import { statSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { UserError } from '../machine/user-error.js';
import { describeDamage } from '../replay/trace-damage.js';
import type { ImageEntry, Trace, TraceImage, TraceStart } from '../replay/trace-format.js';
import { imageHash, type OutsideImage } from '../replay/trace-header.js';
import { asHex } from '../replay/value-reader.js';
import { oneLine } from './errors.js';
import type { ImageFolders } from './image-options.js';
import { groupDigits } from './numbers.js';
import { readInput } from './trace-file.js';

/**
 * What a trace starts with, its images included.
 * @param path of the trace.
 * @throws UserError where an image is damaged or missing.
 */
export function startFromTrace(
  trace: Trace,
  path: string,
  { imageFolder = [] }: ImageFolders = {},
): TraceStart {
  const images = trace.header.images.map((_, place) => imageOf(trace, path, place, imageFolder));
  return { ...trace.header, images, ...(trace.start === null ? {} : { checkpoint: trace.start }) };
}

/** The same start for a trace that holds all of its images. */
export function withImagesInside(start: TraceStart): TraceStart {
  const images = start.images.map(({ name, role, bytes }) => ({ name, role, bytes }));
  return { ...start, images };
}

/**
 * Those of a trace's images that have names for its code, as far as they are there: for who can do without.
 * A line on stderr says what is outside and not found.
 */
export function namedImages(
  trace: Trace,
  path: string,
  { imageFolder = [] }: ImageFolders,
): TraceImage[] {
  return trace.header.images.flatMap(({ role, outside }, place) => {
    if (role === 'initrd') return [];
    try {
      return [imageOf(trace, path, place, imageFolder)];
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      if (outside !== undefined) {
        process.stderr.write(`holdoff: ${oneLine(error.message)}; goes on without its names\n`);
      }
      return [];
    }
  });
}

function imageOf(
  trace: Trace,
  path: string,
  place: number,
  folders: readonly string[],
): TraceImage {
  const entry = trace.header.images[place];
  const { name, role, outside } = entry;
  if (outside !== undefined) {
    return {
      name,
      role,
      bytes: fromFile(entry, outside, path, folders),
      outsidePath: outside.path,
    };
  }
  const image = trace.image(place);
  if (image.isWhole) return { name, role, bytes: image.value };
  throw new UserError(`${path} is damaged: ${describeDamage(image.damage)}; record it again`);
}

/** @throws UserError where no file with this content is at one of the places. */
function fromFile(
  { name, byteLength }: ImageEntry,
  { path, sha256 }: OutsideImage,
  trace: string,
  folders: readonly string[],
): Uint8Array {
  // The name is the trace's word too: it must not lead out of a folder.
  const file = basename(name);
  const places = [...folders.map((folder) => join(folder, file)), path, join(dirname(trace), file)];
  const candidates = [...new Set(places.map((place) => normalize(place)))];
  const others: string[] = [];
  for (const candidate of candidates) {
    const size = sizeOf(candidate);
    if (size === null) continue;
    if (size !== byteLength) {
      others.push(`${candidate} has ${groupDigits(size)} bytes`);
      continue;
    }
    try {
      const bytes = readInput(candidate);
      const found = asHex(imageHash(bytes));
      if (found === sha256) return bytes;
      others.push(`${candidate} has SHA-256 ${found}`);
    } catch (error) {
      // There may be another one that can be read.
      if (!(error instanceof UserError)) throw error;
      others.push(error.message);
    }
  }
  const what = `${trace} needs the image ${name} of ${groupDigits(byteLength)} bytes with SHA-256 ${sha256}`;
  const looked =
    others.length > 0
      ? `but ${others.join(', and ')}`
      : `and it is not at ${candidates.join(' or ')}`;
  throw new UserError(`${what}, ${looked}; name the folder that has it with --image-folder`);
}

/** The size of a regular file; null of anything else. */
function sizeOf(path: string): number | null {
  try {
    const stats = statSync(path);
    return stats.isFile() ? stats.size : null;
  } catch {
    return null;
  }
}
