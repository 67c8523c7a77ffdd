/** Rows of the opcode map, and how ModRM's reg field chooses among the rows of a group. */
import type { Procedure } from '../system/procedure.js';
import type { Encoding, ImmediateCode, ModrmForms, OperandCode, Width } from './encoding.js';
import { OPERAND_CODES } from './operand-codes.js';
import type { Semantics } from './ops.js';

/** What an opcode stands for: one encoding, or eight by ModRM's reg field. */
export interface OpcodeEntry {
  readonly hasModrm: boolean;
  readonly encoding: Encoding;
  /** By ModRM's reg, or null where the opcode is no group. */
  readonly group: readonly Encoding[] | null;
}

export interface OpcodeMap {
  /** @param opcode one byte, or 0x0f00 plus the second byte. */
  entry(opcode: number): OpcodeEntry;
  /** Raises #UD. */
  readonly undefinedEncoding: Encoding;
}

/** The row that a ModRM byte chooses. */
export function selectEncoding(entry: OpcodeEntry, modrm: number, map: OpcodeMap): Encoding {
  if (entry.group === null) return entry.encoding;
  const row = entry.group.at((modrm >> 3) & 7);
  return row ?? map.undefinedEncoding;
}

interface RowOptions {
  readonly lock?: boolean;
  readonly width?: Width;
  readonly ignoresMod?: boolean;
  readonly endsBlock?: boolean;
}

function row(
  mnemonic: string,
  codes: string,
  meaning: Pick<
    Encoding,
    'semantics' | 'procedure' | 'shortcut' | 'isTransfer' | 'isCallable' | 'endsBlock'
  >,
  options: RowOptions,
): Encoding {
  const operands: OperandCode[] = [];
  let modrm: ModrmForms = 'none';
  let immediate: ImmediateCode = 'none';
  for (const code of codes.split(' ').filter((text) => text !== '')) {
    const known = OPERAND_CODES[code];
    if (known.operand !== null) operands.push(known.operand);
    if (known.modrm !== 'none' && modrm !== 'memory' && modrm !== 'register') modrm = known.modrm;
    if (known.immediate !== 'none') immediate = known.immediate;
  }
  return {
    mnemonic,
    operands,
    modrm,
    immediate,
    ignoresMod: options.ignoresMod ?? false,
    width: options.width ?? operands.at(0)?.width ?? 'v',
    lock: options.lock ?? false,
    ...meaning,
    endsBlock: options.endsBlock ?? meaning.endsBlock,
  };
}

/** A row whose meaning is emitted as code. */
export function hot(
  mnemonic: string,
  codes: string,
  semantics: Semantics,
  options: RowOptions = {},
): Encoding {
  const meaning = {
    semantics,
    procedure: null,
    shortcut: null,
    isTransfer: false,
    isCallable: false,
    endsBlock: false,
  };
  return row(mnemonic, codes, meaning, options);
}

/** A row whose meaning is a procedure, after which the next instruction follows. */
export function rare(
  mnemonic: string,
  codes: string,
  procedure: Procedure,
  options: RowOptions = {},
): Encoding {
  const meaning = {
    semantics: null,
    procedure,
    shortcut: null,
    isTransfer: false,
    isCallable: false,
    endsBlock: true,
  };
  return row(mnemonic, codes, meaning, options);
}

/** As `rare`, of a procedure that compiled code may call (`Encoding.isCallable`). */
export function callable(
  mnemonic: string,
  codes: string,
  procedure: Procedure,
  options: RowOptions = {},
): Encoding {
  return { ...rare(mnemonic, codes, procedure, options), isCallable: true };
}

/** A row whose procedure says itself where execution goes on. @param shortcut of its common case. */
export function transfer(
  mnemonic: string,
  codes: string,
  procedure: Procedure,
  shortcut: Semantics | null = null,
): Encoding {
  const meaning = {
    semantics: null,
    procedure,
    shortcut,
    isTransfer: true,
    isCallable: false,
    endsBlock: true,
  };
  return row(mnemonic, codes, meaning, {});
}

/** What a table gives for an opcode: one row, or up to eight by ModRM's reg (null: #UD). */
export type OpcodeRows = Encoding | readonly (Encoding | null)[];

/** The opcode map of a table whose keys are opcodes; what is missing raises #UD. */
export function makeOpcodeMap(
  tables: readonly (readonly [number, OpcodeRows])[],
  undefinedEncoding: Encoding,
): OpcodeMap {
  const none: OpcodeEntry = { hasModrm: false, encoding: undefinedEncoding, group: null };
  const entries = new Array<OpcodeEntry>(0x1000).fill(none);
  for (const [opcode, rows] of tables) {
    if (entries[opcode] !== none) throw new Error(`opcode ${opcode.toString(16)}h is there twice`);
    entries[opcode] =
      'mnemonic' in rows
        ? { hasModrm: rows.modrm !== 'none', encoding: rows, group: null }
        : {
            hasModrm: true,
            encoding: undefinedEncoding,
            group: rows.map((encoding) => encoding ?? undefinedEncoding),
          };
  }
  return { entry: (opcode) => entries[opcode & 0xfff], undefinedEncoding };
}
