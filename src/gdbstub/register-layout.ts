/**
 * A register file as gdb is told of it, and the target description that says so. Numbers of registers
 * and their places in a `g` packet follow from the order here and nowhere else.
 * GDB manual, "Target Description Format".
 */

/** A field of a flags type: one bit, or several that read as a number. */
export interface FlagField {
  readonly name: string;
  readonly first: number;
  readonly last: number;
}

/** A type that a feature defines for its registers. */
export type RegisterType =
  | {
      readonly kind: 'flags';
      readonly id: string;
      readonly bytes: number;
      readonly fields: readonly FlagField[];
    }
  | {
      readonly kind: 'enum';
      readonly id: string;
      readonly bytes: number;
      readonly values: readonly string[];
    };

/** One register. */
export interface RegisterDefinition {
  readonly name: string;
  readonly bits: number;
  /** A type that gdb knows, or the id of one that the feature defines. */
  readonly type: string;
  readonly group?: 'general' | 'float';
}

/** Registers that gdb looks for, or shows, together. */
export interface RegisterFeature {
  readonly name: string;
  readonly types: readonly RegisterType[];
  readonly registers: readonly RegisterDefinition[];
}

/** All registers in the order of their numbers. */
export interface RegisterLayout {
  readonly features: readonly RegisterFeature[];
  readonly registers: readonly RegisterDefinition[];
  /** Numbers of the program counter, and of those that go along with each stop reply. */
  readonly programCounter: number;
  readonly expedited: readonly number[];
}

/** Numbers the registers of the features in order. */
export function layOutRegisters(
  features: readonly RegisterFeature[],
  programCounter: string,
  expedited: readonly string[],
): RegisterLayout {
  const registers = features.flatMap((feature) => feature.registers);
  const number = (name: string): number => {
    const index = registers.findIndex((register) => register.name === name);
    if (index < 0) throw new Error(`no register is named ${name}`);
    return index;
  };
  return {
    features,
    registers,
    programCounter: number(programCounter),
    expedited: expedited.map(number),
  };
}

/** Bytes that a register takes in a packet. */
export function registerBytes(register: RegisterDefinition): number {
  return (register.bits + 7) >> 3;
}

/**
 * The target description. It names no `<architecture>`: gdb infers i386 from the core feature, and
 * `set architecture i8086` then switches the disassembler, which it would not if we named one.
 * It names no OS either: gdb would take its own for the guest's, and has none for the i8086.
 */
export function describeTarget(layout: RegisterLayout): string {
  let number = 0;
  const lines = [
    '<?xml version="1.0"?>',
    '<!DOCTYPE target SYSTEM "gdb-target.dtd">',
    '<target version="1.0">',
    '  <osabi>none</osabi>',
  ];
  for (const feature of layout.features) {
    lines.push(`  <feature name="${feature.name}">`);
    for (const type of feature.types) lines.push(...describeType(type));
    for (const register of feature.registers) {
      const group = register.group === undefined ? '' : ` group="${register.group}"`;
      lines.push(
        `    <reg name="${register.name}" bitsize="${register.bits}" type="${register.type}" regnum="${number}"${group}/>`,
      );
      number += 1;
    }
    lines.push('  </feature>');
  }
  lines.push('</target>', '');
  return lines.join('\n');
}

function describeType(type: RegisterType): string[] {
  if (type.kind === 'enum') {
    return [
      `    <enum id="${type.id}" size="${type.bytes}">`,
      ...type.values.map((name, value) => `      <evalue name="${name}" value="${value}"/>`),
      '    </enum>',
    ];
  }
  return [
    `    <flags id="${type.id}" size="${type.bytes}">`,
    ...type.fields.map(
      ({ name, first, last }) => `      <field name="${name}" start="${first}" end="${last}"/>`,
    ),
    '    </flags>',
  ];
}
