/**
 * Instructions as text for people, in the GNU assembler's (AT&T) syntax, which is what kernels of the
 * time and their listings are written in. iced-x86 does the decoding; the processor has its own
 * decoder, and this one is never asked what an instruction does.
 */
import { Decoder, DecoderOptions, Formatter, FormatterSyntax, OpKind, Register } from 'iced-x86';

/** A name for an address; SymbolTable of the machine's loaders is one. */
export interface Symbols {
  lookup(address: number): { readonly name: string; readonly offset: number } | null;
}

/** One instruction: its text and its bytes. A byte that starts no instruction is `(bad)`, 1 long. */
export interface DisassembledInstruction {
  readonly text: string;
  readonly length: number;
}

/** The longest instruction that the processor accepts. */
export const INSTRUCTION_BYTES_MOST = 15;

const formatter = new Formatter(FormatterSyntax.Gas);
formatter.hexPrefix = '0x';
formatter.hexSuffix = '';
formatter.uppercaseHex = false;
formatter.branchLeadingZeros = false;
formatter.displacementLeadingZeros = false;
formatter.smallHexNumbersInDecimal = false;
formatter.spaceAfterOperandSeparator = false;
formatter.gasNakedRegisters = false;

/** `name+0x12`, `name`, or null where the image has no symbol for the address. */
export function symbolText(symbols: Symbols | null, address: number): string | null {
  const found = symbols?.lookup(address >>> 0) ?? null;
  if (found === null) return null;
  return found.offset === 0 ? found.name : `${found.name}+0x${found.offset.toString(16)}`;
}

/**
 * Disassembles the first instruction of `bytes`.
 * @param offset the instruction's EIP, which near branches are relative to.
 * @param bits 32 or 16: the default operand and address size (CS.D).
 */
export function disassemble(
  bytes: Uint8Array,
  offset: number,
  bits: 16 | 32,
  symbols: Symbols | null,
): DisassembledInstruction {
  const decoder = new Decoder(bits, bytes, DecoderOptions.None);
  try {
    decoder.ip = BigInt(offset >>> 0);
    const instruction = decoder.decode();
    try {
      if (instruction.isInvalid) return { text: '(bad)', length: 1 };
      let target: number | null = null;
      for (let operand = 0; operand < instruction.opCount; operand++) {
        const kind = instruction.opKind(operand);
        if (kind === OpKind.NearBranch16 || kind === OpKind.NearBranch32) {
          target = Number(instruction.nearBranchTarget);
        } else if (
          kind === OpKind.Memory &&
          instruction.memoryBase === Register.None &&
          instruction.memoryIndex === Register.None
        ) {
          target = Number(instruction.memoryDisplacement);
        }
      }
      const name = target === null ? null : symbolText(symbols, target);
      const text = formatter.format(instruction).replace(/\s+/, ' ');
      return { text: name === null ? text : `${text} <${name}>`, length: instruction.length };
    } finally {
      instruction.free();
    }
  } finally {
    decoder.free();
  }
}
