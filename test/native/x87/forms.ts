/** The x87 instructions, by name and encoding; memory operands are at EBX. */

/** What the memory operand holds. */
export type MemoryKind =
  | 'none'
  | 'single'
  | 'double'
  | 'extended'
  | 'integer'
  | 'decimal'
  | 'control';

export interface Form {
  readonly name: string;
  readonly code: readonly number[];
  readonly memory: MemoryKind;
}

function memory(name: string, opcode: number, reg: number, kind: MemoryKind): Form {
  return { name, code: [opcode, (reg << 3) | 3], memory: kind };
}
function register(name: string, opcode: number, modrm: number): Form {
  return { name, code: [opcode, modrm], memory: 'none' };
}

/** Prefix of 16-bit environments. */
const OPERAND_SIZE = 0x66;

const BINARY = ['fadd', 'fmul', 'fcom', 'fcomp', 'fsub', 'fsubr', 'fdiv', 'fdivr'];

function binary(name: string, reg: number): Form[] {
  const modrm = 0xc1 | (reg << 3);
  const forms = [
    register(`${name} st,st(1)`, 0xd8, modrm),
    register(`${name} st(1),st`, 0xdc, modrm),
    memory(`${name} m32`, 0xd8, reg, 'single'),
    memory(`${name} m64`, 0xdc, reg, 'double'),
    memory(`${name} m16int`, 0xde, reg, 'integer'),
    memory(`${name} m32int`, 0xda, reg, 'integer'),
  ];
  if (name.startsWith('fcom')) return forms;
  return [...forms, register(`${name}p st(1),st`, 0xde, modrm)];
}

const CONDITIONS = ['b', 'e', 'be', 'u'];

/** Forms whose result is exact and the same on every processor. */
export const EXACT_FORMS: readonly Form[] = [
  ...BINARY.flatMap(binary),
  register('fsqrt', 0xd9, 0xfa),
  register('fprem', 0xd9, 0xf8),
  register('fprem1', 0xd9, 0xf5),
  register('fscale', 0xd9, 0xfd),
  register('frndint', 0xd9, 0xfc),
  register('fxtract', 0xd9, 0xf4),
  memory('fld m32', 0xd9, 0, 'single'),
  memory('fld m64', 0xdd, 0, 'double'),
  memory('fld m80', 0xdb, 5, 'extended'),
  memory('fild m16', 0xdf, 0, 'integer'),
  memory('fild m32', 0xdb, 0, 'integer'),
  memory('fild m64', 0xdf, 5, 'integer'),
  memory('fbld', 0xdf, 4, 'decimal'),
  memory('fst m32', 0xd9, 2, 'none'),
  memory('fstp m32', 0xd9, 3, 'none'),
  memory('fst m64', 0xdd, 2, 'none'),
  memory('fstp m64', 0xdd, 3, 'none'),
  memory('fstp m80', 0xdb, 7, 'none'),
  memory('fist m16', 0xdf, 2, 'none'),
  memory('fistp m16', 0xdf, 3, 'none'),
  memory('fist m32', 0xdb, 2, 'none'),
  memory('fistp m32', 0xdb, 3, 'none'),
  memory('fistp m64', 0xdf, 7, 'none'),
  memory('fbstp', 0xdf, 6, 'none'),
  register('fucom', 0xdd, 0xe1),
  register('fucomp', 0xdd, 0xe9),
  register('fucompp', 0xda, 0xe9),
  register('fcompp', 0xde, 0xd9),
  register('fcomi', 0xdb, 0xf1),
  register('fucomi', 0xdb, 0xe9),
  register('fcomip', 0xdf, 0xf1),
  register('fucomip', 0xdf, 0xe9),
  register('ftst', 0xd9, 0xe4),
  register('fxam', 0xd9, 0xe5),
  register('fchs', 0xd9, 0xe0),
  register('fabs', 0xd9, 0xe1),
  register('fld st(1)', 0xd9, 0xc1),
  register('fst st(2)', 0xdd, 0xd2),
  register('fstp st(2)', 0xdd, 0xda),
  register('fxch', 0xd9, 0xc9),
  register('ffree', 0xdd, 0xc1),
  register('ffreep', 0xdf, 0xc1),
  register('fincstp', 0xd9, 0xf7),
  register('fdecstp', 0xd9, 0xf6),
  register('fnop', 0xd9, 0xd0),
  ...CONDITIONS.flatMap((condition, i) => [
    register(`fcmov${condition}`, 0xda, 0xc1 | (i << 3)),
    register(`fcmovn${condition}`, 0xdb, 0xc1 | (i << 3)),
  ]),
  ...['fld1', 'fldl2t', 'fldl2e', 'fldpi', 'fldlg2', 'fldln2', 'fldz'].map((name, i) =>
    register(name, 0xd9, 0xe8 + i),
  ),
];

/** Control instructions. */
export const CONTROL_FORMS: readonly Form[] = [
  register('fnclex', 0xdb, 0xe2),
  register('fninit', 0xdb, 0xe3),
  register('fnstsw ax', 0xdf, 0xe0),
  register('fneni', 0xdb, 0xe0),
  register('fndisi', 0xdb, 0xe1),
  register('fnsetpm', 0xdb, 0xe4),
  memory('fldcw', 0xd9, 5, 'control'),
  memory('fnstcw', 0xd9, 7, 'none'),
  memory('fnstsw m16', 0xdd, 7, 'none'),
  { name: 'wait', code: [0x9b], memory: 'none' },
  ...['', '16-bit '].flatMap((size): Form[] =>
    [
      memory(`${size}fnstenv`, 0xd9, 6, 'none'),
      memory(`${size}fldenv`, 0xd9, 4, 'none'),
      memory(`${size}fnsave`, 0xdd, 6, 'none'),
      memory(`${size}frstor`, 0xdd, 4, 'none'),
    ].map((form) => (size === '' ? form : { ...form, code: [OPERAND_SIZE, ...form.code] })),
  ),
];

/** Forms whose results processors may give differently in the last place. */
export const FUNCTION_FORMS: readonly Form[] = [
  register('f2xm1', 0xd9, 0xf0),
  register('fyl2x', 0xd9, 0xf1),
  register('fptan', 0xd9, 0xf2),
  register('fpatan', 0xd9, 0xf3),
  register('fyl2xp1', 0xd9, 0xf9),
  register('fsincos', 0xd9, 0xfb),
  register('fsin', 0xd9, 0xfe),
  register('fcos', 0xd9, 0xff),
];
