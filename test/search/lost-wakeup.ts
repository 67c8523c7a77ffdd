/**
 * A guest for the tests of this folder: it tests a flag and then halts, with interrupts open in between, so
 * that a wakeup can come too early. Before, it looks three times at the 8259's request register with
 * interrupts closed, reads the time, and copies with REP. The bytes are what GNU as makes of the source.
 */
import { loadImage } from '../../src/machine/loaders/image.js';
import { Machine } from '../../src/machine/machine.js';
import { SymbolTable } from '../../src/machine/symbols.js';
import type { Guest } from '../../src/search/guest.js';

/*
_start: cli
        mov $0x90000, %edi          # IDT: the gate of vector 20h and of NMI
        lea handler, %eax
        lea 0x100(%edi), %ebx
        call gate
        lea on_nmi, %eax
        lea 0x10(%edi), %ebx
        call gate
        lidt idtr
        mov $0x11, %al
        out %al, $0x20
        mov $0x20, %al
        out %al, $0x21
        mov $4, %al
        out %al, $0x21
        mov $1, %al
        out %al, $0x21
        mov $0xfe, %al
        out %al, $0x21
        mov $3, %ecx
again:  nop
        mov $0x0a, %al
        out %al, $0x20
        nop
        in $0x20, %al               # the request register
        and $1, %eax
        add %eax, seen
        rdtsc
        mov %eax, time
        loop again
        sti
        nop
        mov $16, %ecx
        mov $0x91000, %edi
        rep stosb
test:   cmpl $0, flag
        jne done
        nop
wait:   hlt                         # the wakeup may have come before
done:   cli
        mov $'!', %al
        mov $0x3f8, %edx
        out %al, %dx
        mov $10, %al
        out %al, %dx
        mov seen, %eax
        add $0x10, %eax
        out %al, $0xf4
1:      hlt
        jmp 1b
handler:
        push %eax
        incl flag
        mov $0x20, %al
        out %al, $0x20
        pop %eax
        iret
on_nmi: incl nmis
        iret
gate:   mov %ax, (%ebx)
        movw $8, 2(%ebx)
        shr $16, %eax
        movw $0x8e00, 4(%ebx)
        mov %ax, 6(%ebx)
        ret
        .balign 4
idtr:   .word 0x7ff
        .long 0x90000
        .balign 4
flag:   .long 0
seen:   .long 0
time:   .long 0
nmis:   .long 0
*/
const CODE = [
  'fabf000009008d05910010008d9f00010000e88e0000008d059e0010008d5f10e8800000000f011d',
  'bc001000b011e620b020e621b004e621b001e621b0fee621b90300000090b00ae62090e42083e001',
  '0105c80010000f31a3cc001000e2e6fb90b910000000bf00100900f3aa833dc400100000750290f4',
  'fab021baf8030000eeb00aeea1c800100083c010e6f4f4ebfd50ff05c4001000b020e62058cfff05',
  'd0001000cf66890366c743020800c1e81066c74304008e66894306c3ff0700000900669000000000',
  '000000000000000000000000',
];
const ORIGIN = 0x100000;
/** Offsets of the labels. */
const LABELS = {
  start: 0,
  again: 0x45,
  test: 0x6d,
  wait: 0x77,
  done: 0x78,
  handler: 0x91,
  on_nmi: 0x9e,
  flag: 0xc4,
  seen: 0xc8,
  nmis: 0xd0,
};
const BYTES = Buffer.from(CODE.join(''), 'hex');

/** The exit status of a run in which no request was seen waiting. */
export const STATUS_NOTHING_SEEN = 0x21;

/** The guest, at its start. */
export function lostWakeup(): Guest {
  const machine = new Machine({ memoryBytes: 2 << 20 });
  loadImage(machine, { name: 'lost-wakeup.bin', bytes: BYTES }, { address: ORIGIN });
  const names = Object.entries(LABELS).sort(([, a], [, b]) => a - b);
  const symbols = names.map(([name, offset], place) => ({
    name: () => name,
    address: ORIGIN + offset,
    end: ORIGIN + (names[place + 1]?.[1] ?? BYTES.length),
    rank: 1,
  }));
  return { machine, symbols: new SymbolTable(symbols) };
}
