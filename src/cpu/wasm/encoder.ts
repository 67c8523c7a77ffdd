/**
 * Bytes of a WebAssembly module: just the sections and instructions that the engine uses.
 *
 * Code is built as arrays of bytes and of other such arrays, innermost expression first, as the binary format
 * has it. So what is put together from parts copies none of them; the bytes are gathered once, at the end.
 * Source: WebAssembly Core Specification 1.0, chapter 5, and 3.0 for tail calls.
 */

/** A byte, or what was put together before. */
export type Piece = number | Bytes;
/** Once another array has it as a part, it does not change any more. */
export type Bytes = readonly Piece[];

export const I32 = 0x7f;
export const I64 = 0x7e;
/** Block type: no result. */
export const VOID = 0x40;

// Opcodes, named as in the specification.
export const OP = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  returnCallIndirect: 0x13,
  drop: 0x1a,
  select: 0x1b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  i32Load: 0x28,
  f64Load: 0x2b,
  i32Load8U: 0x2d,
  i32Load16U: 0x2f,
  i32Store: 0x36,
  f64Store: 0x39,
  i32Store8: 0x3a,
  i32Store16: 0x3b,
  i32Const: 0x41,
  i64Const: 0x42,
  f64Const: 0x44,
  i32Eqz: 0x45,
  i32Eq: 0x46,
  i32Ne: 0x47,
  i32LtS: 0x48,
  i32LtU: 0x49,
  i32GtU: 0x4b,
  i32GeS: 0x4e,
  i32GeU: 0x4f,
  i64Eqz: 0x50,
  i64Ne: 0x52,
  i64GtU: 0x56,
  i32Clz: 0x67,
  i32Ctz: 0x68,
  i32Popcnt: 0x69,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32Mul: 0x6c,
  i32RemU: 0x70,
  i32And: 0x71,
  i32Or: 0x72,
  i32Xor: 0x73,
  i32Shl: 0x74,
  i32ShrS: 0x75,
  i32ShrU: 0x76,
  i32Rotl: 0x77,
  i32Rotr: 0x78,
  i64Add: 0x7c,
  i64Mul: 0x7e,
  i64DivS: 0x7f,
  i64DivU: 0x80,
  i64RemS: 0x81,
  i64RemU: 0x82,
  i64Or: 0x84,
  i64Shl: 0x86,
  i64ShrU: 0x88,
  f64Add: 0xa0,
  i32WrapI64: 0xa7,
  i64ExtendI32S: 0xac,
  i64ExtendI32U: 0xad,
  i32Extend8S: 0xc0,
  i32Extend16S: 0xc1,
} as const;

/** Unsigned LEB128. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value >>> 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>>= 7;
    if (rest === 0) {
      bytes.push(low);
      return bytes;
    }
    bytes.push(low | 0x80);
  }
}

/** Signed LEB128 of a 32-bit value. */
export function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) {
      bytes.push(low);
      return bytes;
    }
    bytes.push(low | 0x80);
  }
}

/** What `make` gives for a small number, made once: the same few are needed all the time. */
function interned(
  from: number,
  make: (value: number) => readonly number[],
): (value: number) => readonly number[] {
  const MOST = 4096;
  const known: (readonly number[] | undefined)[] = [];
  return (value) => {
    const index = value - from;
    if (index < 0 || index >= MOST) return make(value);
    return (known[index] ??= make(value));
  };
}

/** `i32.const value`. */
export const constant = interned(-16, (value) => [OP.i32Const, ...signed(value)]);

/** A memory access's immediates: log2 of the alignment (always 0: guests align as they like), offset. */
export const memarg = interned(0, (offset) => [0, ...unsigned(offset)]);

export const localGet = interned(0, (index) => [OP.localGet, ...unsigned(index)]);
export const localSet = interned(0, (index) => [OP.localSet, ...unsigned(index)]);

export interface FunctionType {
  readonly parameters: readonly number[];
  readonly results: readonly number[];
}

export interface FunctionImport {
  readonly name: string;
  readonly type: FunctionType;
}

export interface FunctionSignature {
  /** The name under which it is exported. */
  readonly name: string;
  readonly type: FunctionType;
}

export interface FunctionCode {
  /** Types of the locals behind the parameters. */
  readonly locals: readonly number[];
  /** Instructions without the final `end`. */
  readonly code: Bytes | Uint8Array;
}

export type FunctionBody = FunctionSignature & FunctionCode;

const SECTION_TYPE = 1;
const SECTION_IMPORT = 2;
const SECTION_FUNCTION = 3;
const SECTION_EXPORT = 7;
const SECTION_CODE = 10;

/** Gathers bytes. The sooner code is written here, the less garbage there is to be looked through. */
export class ByteSink {
  length = 0;
  #bytes = new Uint8Array(1 << 14);

  /** What was written, until more is. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.length);
  }

  write(code: Bytes | Uint8Array): void {
    if (code instanceof Uint8Array) {
      this.#reserve(code.length);
      this.#bytes.set(code, this.length);
      this.length += code.length;
    } else {
      this.#writePieces(code);
    }
  }

  #writePieces(code: Bytes): void {
    for (let i = 0; i < code.length; i++) {
      const piece = code[i];
      if (typeof piece === 'number') {
        if (this.length === this.#bytes.length) this.#reserve(1);
        this.#bytes[this.length] = piece;
        this.length += 1;
      } else {
        this.#writePieces(piece);
      }
    }
  }

  #reserve(more: number): void {
    const length = this.length + more;
    if (length <= this.#bytes.length) return;
    const bytes = new Uint8Array(2 * length);
    bytes.set(this.bytes);
    this.#bytes = bytes;
  }

  /** Writes, before the bytes from an offset on, how many they are. */
  prefixLength(from: number): void {
    const { length } = this;
    const prefix = unsigned(length - from);
    this.write(prefix);
    this.#bytes.copyWithin(from + prefix.length, from, length);
    this.#bytes.set(prefix, from);
  }
}

function vector(items: readonly Bytes[]): Bytes {
  return [...unsigned(items.length), ...items];
}

function name(text: string): number[] {
  const bytes = new TextEncoder().encode(text);
  return [...unsigned(bytes.length), ...bytes];
}

function writeSection(sink: ByteSink, id: number, items: readonly Bytes[]): void {
  sink.write([id]);
  const start = sink.length;
  sink.write(vector(items));
  sink.prefixLength(start);
}

function encodeType(type: FunctionType): Bytes {
  return [
    0x60,
    ...vector(type.parameters.map((t) => [t])),
    ...vector(type.results.map((t) => [t])),
  ];
}

function writeBody(sink: ByteSink, { locals, code }: FunctionCode): void {
  const start = sink.length;
  sink.write(vector(locals.map((type) => [1, type])));
  sink.write(code);
  sink.write([OP.end]);
  sink.prefixLength(start);
}

/** What a module imports beside functions. All imports come from the module name "env". */
export interface ModuleImports {
  readonly functions: readonly FunctionImport[];
  /** Pages of 64 KiB of `env.memory`, minimum and maximum. */
  readonly memoryPages: number;
  /** Import `env.table`, a table of functions, and use it for call_indirect. */
  readonly table: boolean;
  /** More types, for call_indirect, numbered from 0 on. */
  readonly types: readonly FunctionType[];
}

/** All of a module but its code, which `encodeCode` appends. */
export function encodeHead(
  imports: ModuleImports,
  functions: readonly FunctionSignature[],
): Uint8Array<ArrayBuffer> {
  const types: FunctionType[] = [...imports.types];
  const typeIndex = (type: FunctionType): number => {
    const same = types.findIndex(
      (t) =>
        t.parameters.join() === type.parameters.join() && t.results.join() === type.results.join(),
    );
    return same >= 0 ? same : types.push(type) - 1;
  };
  const importItems: number[][] = [
    [
      ...name('env'),
      ...name('memory'),
      2,
      1,
      ...unsigned(imports.memoryPages),
      ...unsigned(imports.memoryPages),
    ],
  ];
  if (imports.table) importItems.push([...name('env'), ...name('table'), 1, 0x70, 0, 0]);
  for (const entry of imports.functions) {
    importItems.push([...name('env'), ...name(entry.name), 0, ...unsigned(typeIndex(entry.type))]);
  }
  const functionItems = functions.map(({ type }) => unsigned(typeIndex(type)));
  const exportItems = functions.map((signature, i) => [
    ...name(signature.name),
    0,
    ...unsigned(imports.functions.length + i),
  ]);
  const sink = new ByteSink();
  sink.write([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);
  writeSection(sink, SECTION_TYPE, types.map(encodeType));
  writeSection(sink, SECTION_IMPORT, importItems);
  writeSection(sink, SECTION_FUNCTION, functionItems);
  writeSection(sink, SECTION_EXPORT, exportItems);
  return sink.bytes;
}

/** The bytes of a module: its head, and the code of the functions that the head was made for. */
export function encodeCode(
  head: Uint8Array,
  functions: readonly FunctionCode[],
): Uint8Array<ArrayBuffer> {
  const sink = new ByteSink();
  sink.write(head);
  sink.write([SECTION_CODE]);
  const start = sink.length;
  sink.write(unsigned(functions.length));
  for (const one of functions) writeBody(sink, one);
  sink.prefixLength(start);
  return sink.bytes;
}

/** The bytes of a module that exports each of `functions` by name. Function index 0 is the first import. */
export function encodeModule(
  imports: ModuleImports,
  functions: readonly FunctionBody[],
): Uint8Array<ArrayBuffer> {
  return encodeCode(encodeHead(imports, functions), functions);
}
