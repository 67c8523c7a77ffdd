/**
 * Runs x87 instructions on the processor that the tests run on, by way of execute.c. Where gcc has no
 * 32-bit target there is no such processor to ask.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const RECORD_BYTES = 248;
/** Fields of a record, see execute.c. */
export const RECORD_CODE = 0;
export const RECORD_STATE = 16;
export const RECORD_EAX = 124;
export const RECORD_EFLAGS = 128;
export const RECORD_OPERAND = 132;
/** Bytes of the memory operand: room for FSAVE. */
export const OPERAND_BYTES = 112;
export const RECORD_SIGNAL = 244;

/** The bytes that FNSAVE writes in 32-bit protected mode. */
export const STATE_BYTES = 108;
/** Where the eight registers begin in them, ST(0) first, 10 bytes each. */
export const STATE_STACK = 28;

const SOURCE = join(import.meta.dirname, 'execute.c');

/** A processor with an x87, as a program that answers records with records. */
export class NativeProcessor {
  readonly #folder: string;
  readonly #program: string;

  private constructor(folder: string, program: string) {
    this.#folder = folder;
    this.#program = program;
  }

  /** Null where execute.c cannot be built and run. */
  static build(): NativeProcessor | null {
    const folder = mkdtempSync(join(tmpdir(), 'holdoff-x87-'));
    const program = join(folder, 'execute');
    const compiled = spawnSync('gcc', ['-m32', '-O1', '-o', program, SOURCE]);
    if (compiled.status === 0 && spawnSync(program, [], { input: '' }).status === 0) {
      return new NativeProcessor(folder, program);
    }
    rmSync(folder, { recursive: true });
    return null;
  }

  /** @param records of RECORD_BYTES each, one behind the other. */
  run(records: Uint8Array): Buffer {
    const { status, stdout } = spawnSync(this.#program, [], {
      input: records,
      maxBuffer: records.length + 1,
    });
    if (status !== 0 || stdout.length !== records.length) {
      throw new Error(`the native processor answered with ${stdout.length} bytes`);
    }
    return stdout;
  }

  /** Removes the program. */
  dispose(): void {
    rmSync(this.#folder, { recursive: true });
  }
}
