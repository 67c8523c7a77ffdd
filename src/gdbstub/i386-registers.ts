/**
 * The registers of an i386 as gdb sees them: its core feature, which must be whole and in this order
 * (GDB manual, "i386 Features"), and our own with what a kernel debugger wants to see. One layout for
 * ever: gdb does not fetch the description again when the processor changes its mode.
 */
import {
  type FlagField,
  layOutRegisters,
  type RegisterDefinition,
  type RegisterLayout,
  type RegisterType,
} from './register-layout.js';

/** One-bit fields from `bit NAME` pairs. */
function bits(text: string): FlagField[] {
  return text.split(' ').map((pair) => {
    const [bit, name] = pair.split(':');
    return { name, first: Number(bit), last: Number(bit) };
  });
}

const EFLAGS: RegisterType = {
  kind: 'flags',
  id: 'i386_eflags',
  bytes: 4,
  fields: [
    // Bit 1 is always one; it has no name, as in gdb's own description.
    ...bits('0:CF 1: 2:PF 4:AF 6:ZF 7:SF 8:TF 9:IF 10:DF 11:OF'),
    { name: 'IOPL', first: 12, last: 13 },
    ...bits('14:NT 16:RF 17:VM 18:AC 19:VIF 20:VIP 21:ID'),
  ],
};
const CR0: RegisterType = {
  kind: 'flags',
  id: 'i386_cr0',
  bytes: 4,
  fields: bits('0:PE 1:MP 2:EM 3:TS 4:ET 5:NE 16:WP 18:AM 29:NW 30:CD 31:PG'),
};
const CR4: RegisterType = {
  kind: 'flags',
  id: 'i386_cr4',
  bytes: 4,
  fields: bits('0:VME 1:PVI 2:TSD 3:DE 4:PSE 5:PAE 6:MCE 7:PGE 8:PCE 9:OSFXSR 10:OSXMMEXCPT'),
};
const SHADOW: RegisterType = {
  kind: 'enum',
  id: 'irq_shadow',
  bytes: 4,
  values: ['none', 'sti', 'mov_ss'],
};

function rows(names: string, type: string, group?: 'float'): RegisterDefinition[] {
  const width = type === 'i387_ext' ? 80 : type === 'uint64' ? 64 : 32;
  return names
    .split(' ')
    .map((name) => ({ name, bits: width, type, ...(group === undefined ? {} : { group }) }));
}

/** What gdb is told of the i386's registers. */
export const I386_LAYOUT: RegisterLayout = layOutRegisters(
  [
    {
      name: 'org.gnu.gdb.i386.core',
      types: [EFLAGS],
      registers: [
        ...rows('eax ecx edx ebx', 'int32'),
        ...rows('esp ebp', 'data_ptr'),
        ...rows('esi edi', 'int32'),
        ...rows('eip', 'code_ptr'),
        ...rows('eflags', 'i386_eflags'),
        ...rows('cs ss ds es fs gs', 'int32'),
        ...rows('st0 st1 st2 st3 st4 st5 st6 st7', 'i387_ext'),
        ...rows('fctrl fstat ftag fiseg fioff foseg fooff fop', 'int', 'float'),
      ],
    },
    {
      name: 'org.holdoff.i386.system',
      types: [CR0, CR4, SHADOW],
      registers: [
        ...rows('cs_base ss_base ds_base es_base fs_base gs_base', 'uint32'),
        ...rows('cr0', 'i386_cr0'),
        ...rows('cr2 cr3', 'uint32'),
        ...rows('cr4', 'i386_cr4'),
        ...rows('dr0 dr1 dr2 dr3 dr6 dr7', 'uint32'),
        ...rows('gdtr_base gdtr_limit idtr_base idtr_limit tr ldtr', 'uint32'),
        ...rows('cpl', 'uint32'),
        ...rows('irq_shadow', 'irq_shadow'),
        ...rows('pending_vector', 'int32'),
        ...rows('pic_irr pic_isr pic_imr', 'uint32'),
        ...rows('instant', 'uint64'),
        ...rows('vif vpend', 'uint32'),
      ],
    },
  ],
  'eip',
  // With these three in the stop reply gdb sends no `g` after a step.
  ['esp', 'ebp', 'eip'],
);

/**
 * The number of a register.
 * @throws Error when there is none of that name.
 */
export function i386Register(name: string): number {
  const index = I386_LAYOUT.registers.findIndex((register) => register.name === name);
  if (index < 0) throw new Error(`no register is named ${name}`);
  return index;
}
