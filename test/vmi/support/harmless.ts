import * as L from '../../../src/cpu/state-layout.js';
import { KERNEL_SS, type Registers, type RomCaller, SCRATCH, STACK } from './rom-caller.js';

/** Arguments with which a call does something harmless. */
export function harmless(guest: RomCaller, number: number): Registers {
  switch (number) {
    case 0:
      return { eax: 1 };
    case 1:
    case 2:
      return { ecx: 0x175, eax: 0, edx: 0 };
    case 3:
      return { eax: guest.address('gdt_pointer') };
    case 5:
      return { eax: guest.address('idt_pointer') };
    case 4:
      return { eax: 0 };
    case 6:
      guest.write(guest.address('gdt') + 0x84, guest.read(guest.address('gdt') + 0x84) & ~0x200);
      return { eax: 0x80 };
    case 7:
    case 9:
      return { eax: SCRATCH };
    case 11:
    case 12:
    case 13:
      return { eax: SCRATCH, edx: 1, ecx: 0 };
    case 14:
      return { eax: KERNEL_SS, edx: STACK };
    case 15:
    case 16:
    case 17:
    case 18:
      return { eax: guest.state.get([L.CR0, L.CR2, L.CR3, L.CR4][number - 15]) };
    case 24:
    case 25:
      return { eax: 0, edx: 0 };
    case 26:
      return { ecx: 0 };
    case 38:
    case 39:
      return { eax: 0, edx: SCRATCH, ecx: number === 38 ? 1 : SCRATCH };
    case 40:
    case 41:
      return { eax: SCRATCH, edx: 1 };
    case 44:
    case 45:
      return { eax: 0x310, edx: 1 };
    case 68:
      // Of the counter that has no alarms.
      return { eax: 2 };
    default:
      return { eax: 0, edx: 0x80, ecx: 0 };
  }
}
