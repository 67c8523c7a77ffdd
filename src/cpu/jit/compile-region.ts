/**
 * One WebAssembly function for a region: registers come into locals at its start and go back to the
 * state words wherever it ends, and every block begins by taking its instructions out of the budget,
 * or, where so many are not left, returns to the interpreter for the last steps.
 */

import { RECORD_BLOCK, RECORD_COUNT, RECORD_OFFSET } from '../engine/record.js';
import type { Form } from '../isa/form.js';
import { formOf } from '../isa/form.js';
import * as L from '../state-layout.js';
import {
  type Bytes,
  constant,
  encodeCode,
  encodeHead,
  type FunctionCode,
  localGet,
  localSet,
  memarg,
  OP,
  unsigned,
  VOID,
} from '../wasm/encoder.js';
import { CALL_TYPES, callService, HANDLER_TYPE } from '../wasm/services.js';
import { loadWord, storeWord } from '../wasm/state-words.js';
import type { Block, Region, RegionInstruction } from './region.js';
import { RegionFrame } from './region-frame.js';
import * as F from './region-locals.js';
import { type NumberProcedure, RegionOps, WAY_ON } from './region-ops.js';

/** A word of the head record. */
function field(offset: number): Bytes {
  return [...localGet(F.LOCAL_HEAD), OP.i32Load, ...memarg(offset)];
}

/** Takes over the state. Which block is entered the head record says. */
const PROLOGUE: Bytes = [
  ...loadWord(L.BUDGET),
  ...constant(1),
  OP.i32Add,
  OP.localTee,
  F.LOCAL_LEFT,
  ...field(RECORD_COUNT),
  OP.i32LtS,
  OP.if,
  VOID,
  ...storeWord(L.BUDGET, localGet(F.LOCAL_LEFT)),
  ...localGet(F.LOCAL_HEAD),
  ...constant(L.RECORD_BYTES),
  OP.i32Add,
  OP.return,
  OP.end,
  ...F.TAKE_OVER,
  ...loadWord(L.EIP),
  ...field(RECORD_OFFSET),
  OP.i32Sub,
  OP.localSet,
  F.LOCAL_BASE,
  ...field(RECORD_BLOCK),
  OP.localSet,
  F.LOCAL_BLOCK,
];

/** How a region is compiled. */
export interface RegionOptions {
  /** A number by which the service `perform` knows a procedure, for as long as the region is used. */
  readonly numberOf: NumberProcedure;
  /** Each of its accesses is looked up alone. */
  readonly isSplit: boolean;
}

class RegionCompiler {
  readonly #region: Region;
  readonly #numberOf: NumberProcedure;
  readonly #frame: RegionFrame;
  /** Indexes of the blocks that others may go to, by offset. */
  readonly #places = new Map<number, number>();

  constructor(region: Region, { numberOf, isSplit }: RegionOptions) {
    this.#region = region;
    this.#numberOf = numberOf;
    this.#frame = new RegionFrame(isSplit);
    region.blocks.forEach(({ offset, isCut }, i) => {
      if (!isCut) this.#places.set(offset, i);
    });
  }

  body(): FunctionCode {
    const { blocks } = this.#region;
    const { body, locals } = this.#frame;
    // block { block { loop { block { ... block { br_table } code 0 } ... code n-1 } } way out } other way out
    body.write(PROLOGUE);
    body.write([OP.block, VOID, OP.block, VOID, OP.loop, VOID]);
    body.write(blocks.map(() => [OP.block, VOID]));
    body.write([localGet(F.LOCAL_BLOCK), OP.brTable, unsigned(blocks.length - 1)]);
    body.write(blocks.map((_, i) => unsigned(i)));
    blocks.forEach((block, i) => {
      body.write([OP.end]);
      this.#block(block, i);
    });
    body.write([OP.end, OP.unreachable, WAYS_OUT]);
    return { locals, code: body.bytes };
  }

  #block(block: Block, index: number): void {
    const frame = this.#frame;
    const count = block.instructions.length;
    const loopsOnItself =
      !block.isCut && block.instructions.some((one) => one.target === block.offset);
    const { body } = frame;
    frame.startBlock();
    frame.depth = loopsOnItself ? 1 : 0;
    if (loopsOnItself) body.write([OP.loop, VOID]);
    body.write([
      localGet(F.LOCAL_LEFT),
      constant(count),
      OP.i32LtS,
      OP.if,
      VOID,
      this.#exit(block.offset, index, 1),
      OP.end,
      localGet(F.LOCAL_LEFT),
      constant(count),
      OP.i32Sub,
      localSet(F.LOCAL_LEFT),
    ]);
    block.instructions.forEach((instruction, i) => {
      const place = {
        instruction,
        behind: count - 1 - i,
        branchTo: (offset: number) => this.#branchTo(offset, index, loopsOnItself),
        dispatch: () => this.#dispatch(index),
        wayOut: (way: number, deeper = 0) => this.#wayOut(index, way, deeper),
        numberOf: this.#numberOf,
      };
      new RegionOps(frame, place, formOfInstruction(instruction)).emit();
    });
    frame.endBlock();
    body.write(frame.settleFlags());
    const onward = this.#places.get(block.next);
    if (onward === undefined) body.write(this.#exit(block.next, index, 0));
    else if (onward !== index + 1 || loopsOnItself) {
      body.write(this.#branchTo(block.next, index, loopsOnItself) ?? []);
    }
    if (loopsOnItself) body.write([OP.end]);
  }

  /** The way from inside block `from`, at the frame's depth, to the block at an offset. */
  #branchTo(offset: number, from: number, loopsOnItself: boolean): Bytes | null {
    const to = this.#places.get(offset);
    if (to === undefined) return null;
    const { depth } = this.#frame;
    if (to === from && loopsOnItself) return [OP.br, ...unsigned(depth - 1)];
    // Behind block i the labels of blocks i+1 and on are open, then the dispatching loop's.
    if (to > from) return [OP.br, ...unsigned(depth + to - from - 1)];
    return [constant(to), localSet(F.LOCAL_BLOCK), this.#dispatch(from)];
  }

  /** The way from inside block `from`, at the frame's depth, to the block that LOCAL_BLOCK says. */
  #dispatch(from: number): Bytes {
    const outwards = this.#region.blocks.length - 1 - from;
    return [OP.br, ...unsigned(this.#frame.depth + outwards)];
  }

  /**
   * Out of the region from inside block `from` by one of the ways behind the loop.
   * @param deeper blocks that are open beyond the frame's depth.
   */
  #wayOut(from: number, way: number, deeper = 0): Bytes {
    const outwards = this.#region.blocks.length - from;
    return [OP.br, ...unsigned(this.#frame.depth + deeper + outwards + way)];
  }

  /** Returns to the run loop at an offset, with no instruction under way and no flags pending. */
  #exit(offset: number, from: number, deeper: number): Bytes {
    const way = this.#wayOut(from, WAY_ON, deeper);
    return [constant(offset), localSet(F.LOCAL_BLOCK), way];
  }
}

/** Writes the state, EIP at offset LOCAL_BLOCK in the page. */
const HAND_BACK_ON_WAY: Bytes = F.handBackAt([
  ...localGet(F.LOCAL_BASE),
  ...localGet(F.LOCAL_BLOCK),
  OP.i32Add,
]);

/** What follows the dispatching loop: each way writes the state and returns. */
const WAYS_OUT: Bytes = [
  OP.end,
  HAND_BACK_ON_WAY,
  ...constant(0),
  OP.return,
  OP.end,
  HAND_BACK_ON_WAY,
  ...callService('single'),
  OP.return,
];

function formOfInstruction({ decoded }: RegionInstruction): Form {
  return formOf(decoded.encoding, decoded.instruction, true);
}

/** The module of a region: its function is the export `region`, of the type of handlers. */
export function compileRegion(
  region: Region,
  memoryPages: number,
  options: RegionOptions,
): Uint8Array<ArrayBuffer> {
  const body = new RegionCompiler(region, options).body();
  return encodeCode(headFor(memoryPages), [body]);
}

/** Heads of region modules, which differ in the size of the memory alone. */
const heads = new Map<number, Uint8Array>();

function headFor(memoryPages: number): Uint8Array {
  const known = heads.get(memoryPages);
  if (known !== undefined) return known;
  const imports = { functions: [], memoryPages, table: true, types: CALL_TYPES };
  const head = encodeHead(imports, [{ name: 'region', type: HANDLER_TYPE }]);
  heads.set(memoryPages, head);
  return head;
}
