/** The operand codes that the opcode map uses, and what each of them needs of the encoding. */
import { EAX, ECX, EDX } from '../state-layout.js';
import type { ImmediateCode, ModrmForms, OperandCode, OperandPlace, Width } from './encoding.js';

interface CodeMeaning {
  readonly operand: OperandCode | null;
  readonly modrm: ModrmForms;
  readonly immediate: ImmediateCode;
}

function meaning(
  place: OperandPlace,
  width: Width,
  modrm: ModrmForms = 'none',
  immediate: ImmediateCode = 'none',
  register = 0,
): CodeMeaning {
  return { operand: { place, width, register }, modrm, immediate };
}

/** Bytes that a procedure reads by itself: no operand of a semantics. */
function bare(modrm: ModrmForms, immediate: ImmediateCode): CodeMeaning {
  return { operand: null, modrm, immediate };
}

/** Every operand code. */
export const OPERAND_CODES: Readonly<Record<string, CodeMeaning>> = {
  Eb: meaning('rm', 'b', 'any'),
  Ew: meaning('rm', 'w', 'any'),
  Ev: meaning('rm', 'v', 'any'),
  Gb: meaning('reg', 'b', 'any'),
  Gw: meaning('reg', 'w', 'any'),
  Gv: meaning('reg', 'v', 'any'),
  /** An effective address, of LEA. */
  Ma: meaning('address', 'v', 'memory'),
  /** The opcode's low three bits. */
  Zb: meaning('reg', 'b'),
  Zv: meaning('reg', 'v'),
  AL: meaning('fixed', 'b', 'none', 'none', EAX),
  CL: meaning('fixed', 'b', 'none', 'none', ECX),
  DX: meaning('fixed', 'w', 'none', 'none', EDX),
  eAX: meaning('fixed', 'v', 'none', 'none', EAX),
  1: meaning('one', 'b'),
  Ib: meaning('immediate', 'b', 'none', 'b'),
  Iw: meaning('immediate', 'w', 'none', 'w'),
  Iz: meaning('immediate', 'v', 'none', 'z'),
  /** A byte, sign-extended to the operand size. */
  Is: meaning('immediate', 'v', 'none', 'sb'),
  Jb: meaning('immediate', 'v', 'none', 'sb'),
  Jz: meaning('immediate', 'v', 'none', 'z'),
  Ob: meaning('offset', 'b', 'none', 'a'),
  Ov: meaning('offset', 'v', 'none', 'a'),
  // What procedures pick from the Instruction.
  E: bare('any', 'none'),
  M: bare('memory', 'none'),
  R: bare('register', 'none'),
  ib: bare('none', 'b'),
  iw: bare('none', 'w'),
  iwb: bare('none', 'wb'),
  ap: bare('none', 'p'),
};
