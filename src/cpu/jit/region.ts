/**
 * What is compiled together: the basic blocks of one page that direct jumps reach from an entry, but for what lies
 * ahead and was never jumped to: most of that handles errors.
 *
 * A block ends at a jump, behind a procedure that compiled code may call, before an instruction that is not
 * compiled (other procedures, repeated string instructions), before one that leaves the page, before a cut, and
 * before another block. Where it goes
 * on outside the region, or at a cut, the compiled code returns, and the run loop takes over.
 */
import { type Decoded, Decoder, MAX_INSTRUCTION_BYTES } from '../decoder/decode.js';
import { fault } from '../fault.js';
import { STRING_OPCODES } from '../isa/form.js';
import type { OpcodeMap } from '../isa/opcode-map.js';

/** More than this and V8's code gets worse; with fewer a big function's regions go on to each other all the time. */
const MAX_INSTRUCTIONS = 350;
const MAX_BLOCKS = 90;
/** Near jumps whose target is in the instruction: JMP, CALL, LOOP, LOOPE, LOOPNE, JCXZ. */
const DIRECT = new Set([0xe8, 0xe9, 0xeb, 0xe0, 0xe1, 0xe2, 0xe3]);

export interface RegionInstruction {
  readonly decoded: Decoded;
  /** Of its first byte in the page. */
  readonly offset: number;
  /** In the page, or outside of it, where a direct jump goes; null for every other instruction. */
  readonly target: number | null;
}

export interface Block {
  readonly offset: number;
  readonly instructions: readonly RegionInstruction[];
  /** Where execution goes on when the last instruction does not jump. */
  readonly next: number;
  /** It is entered by the run loop alone, which looks for a breakpoint there. */
  readonly isCut: boolean;
}

export interface Region {
  /** Physical address of the page. */
  readonly page: number;
  /** By rising offset. Each may be entered. */
  readonly blocks: readonly Block[];
}

/** Jcc, in one byte or two. */
function isConditional(opcode: number): boolean {
  return (opcode & ~0xf) === 0x70 || (opcode & ~0xf) === 0x0f80;
}

function targetOf(decoded: Decoded, offset: number): number | null {
  const { opcode, operandSize, length, immediate } = decoded.instruction;
  if (!isConditional(opcode) && !DIRECT.has(opcode)) return null;
  // A 16-bit operand cuts EIP: rare enough to be left to the jump that works its target out.
  return operandSize === 4 ? offset + length + immediate : null;
}

/** A near call: what follows it is come back to. */
function isCall(opcode: number, modrm: number): boolean {
  return opcode === 0xe8 || (opcode === 0xff && ((modrm >> 3) & 7) === 2);
}

/** The instruction always goes somewhere else. */
function endsFlow(opcode: number, modrm: number): boolean {
  if (isCall(opcode, modrm) || opcode === 0xe9 || opcode === 0xeb) return true;
  if (opcode === 0xc2 || opcode === 0xc3) return true;
  return opcode === 0xff && ((modrm >> 3) & 7) === 4;
}

function isCompiled(decoded: Decoded): boolean {
  const { opcode, rep } = decoded.instruction;
  if (decoded.encoding.semantics === null) return decoded.encoding.isCallable;
  return rep === 0 || !STRING_OPCODES.has(opcode);
}

/** It may jump, or it is a procedure, which may have something looked at behind it. */
function endsBlock({ encoding, instruction }: Decoded): boolean {
  const { opcode } = instruction;
  return isConditional(opcode) || DIRECT.has(opcode) || encoding.semantics === null;
}

/** Finds instructions by following direct jumps, then cuts them into blocks. */
class Discovery {
  readonly #ram: Uint8Array;
  readonly #page: number;
  readonly #decoder: Decoder;
  readonly #cuts: ReadonlySet<number>;
  readonly #wasEntered: (offset: number) => boolean;
  readonly #found = new Map<number, RegionInstruction>();
  readonly #leaders = new Set<number>();

  constructor(
    ram: Uint8Array,
    page: number,
    map: OpcodeMap,
    cuts: ReadonlySet<number>,
    wasEntered: (offset: number) => boolean,
  ) {
    this.#wasEntered = wasEntered;
    this.#decoder = new Decoder(map);
    this.#cuts = cuts;
    this.#ram = ram;
    this.#page = page;
  }

  region(entry: number, others: readonly number[]): Region | null {
    for (const start of [entry, ...others]) this.#reach(start);
    const offsets = [...this.#leaders]
      .filter((offset) => this.#found.has(offset))
      .sort((a, b) => a - b);
    if (!this.#found.has(entry)) return null;
    return { page: this.#page, blocks: offsets.map((offset) => this.#block(offset)) };
  }

  /** Finds what direct jumps reach from an offset. */
  #reach(start: number): void {
    const waiting = [start];
    for (let leader = waiting.shift(); leader !== undefined; leader = waiting.shift()) {
      if (this.#leaders.has(leader) || this.#leaders.size >= MAX_BLOCKS) continue;
      this.#leaders.add(leader);
      this.#follow(leader, waiting);
    }
  }

  #follow(leader: number, waiting: number[]): void {
    let offset = leader;
    while (!this.#found.has(offset) && this.#found.size < MAX_INSTRUCTIONS) {
      const decoded = this.#decode(offset);
      if (decoded === null || !isCompiled(decoded)) return;
      const target = targetOf(decoded, offset);
      this.#found.set(offset, { decoded, offset, target });
      const { opcode, modrm, length } = decoded.instruction;
      if (target !== null && target >= 0 && target < 0x1000) {
        // An outer loop may not have come round yet when an inner one is hot.
        if (target < offset) waiting.push(target);
        else this.#await(target, waiting);
      }
      offset += length;
      if (isCall(opcode, modrm)) this.#await(offset, waiting);
      if (endsFlow(opcode, modrm)) return;
      if (endsBlock(decoded) || this.#cuts.has(offset)) {
        waiting.push(offset);
        return;
      }
    }
    // Running into what another block began with makes that place a leader.
    if (this.#found.has(offset) && offset !== leader) waiting.push(offset);
  }

  #await(offset: number, waiting: number[]): void {
    if (this.#wasEntered(offset)) waiting.push(offset);
  }

  /** Null where the instruction may leave the page or is none. */
  #decode(offset: number): Decoded | null {
    if (offset < 0 || offset + MAX_INSTRUCTION_BYTES > 0x1000) return null;
    const start = this.#page + offset;
    try {
      const isWhole = this.#decoder.decode(this.#ram, start, start + MAX_INSTRUCTION_BYTES, true);
      return isWhole ? this.#decoder.taken() : null;
    } catch (thrown) {
      if (thrown !== fault) throw thrown;
      return null;
    }
  }

  #block(start: number): Block {
    const instructions: RegionInstruction[] = [];
    let offset = start;
    for (let one = this.#found.get(offset); one !== undefined; one = this.#found.get(offset)) {
      instructions.push(one);
      const { opcode, modrm, length } = one.decoded.instruction;
      offset += length;
      if (endsBlock(one.decoded) || endsFlow(opcode, modrm)) break;
      if (this.#leaders.has(offset) || this.#cuts.has(offset)) break;
    }
    return { offset: start, instructions, next: offset, isCut: this.#cuts.has(start) };
  }
}

/**
 * The region around a physical address, at which a block begins, or null where its first instruction is not one
 * that is compiled. Reads RAM and changes nothing.
 * @param others offsets in the page of blocks that are often entered, too, as indirect jumps do.
 * @param cuts offsets in the page that no compiled code goes to or across by itself.
 * @param wasEntered tells by the offset in the page which blocks are worth it, beside those that are named.
 */
export function findRegion(
  ram: Uint8Array,
  physical: number,
  others: readonly number[],
  map: OpcodeMap,
  cuts: ReadonlySet<number>,
  wasEntered: (offset: number) => boolean,
): Region | null {
  const discovery = new Discovery(ram, physical & ~0xfff, map, cuts, wasEntered);
  return discovery.region(physical & 0xfff, others);
}
