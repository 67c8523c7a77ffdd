/**
 * A guest for the tests of this folder: it mixes a quarter of a megabyte of RAM, reads clocks, copies with
 * REP, halts, answers serial bytes and takes timer interrupts, and exits by port F4h after a number of
 * rounds. The bytes are what GNU as makes of the source that stands above them.
 */
import { enterProtectedMode } from '../../src/machine/loaders/protected-start.js';
import { Machine } from '../../src/machine/machine.js';

const ORIGIN = 0x100000;
const STACK = 0x80000;

/*
_start:
  cli
  mov $0x80000, %esp
  lgdt gdtr
  ljmp $8, $1f
1: mov $16, %eax
  mov %eax, %ds
  mov %eax, %es
  mov %eax, %ss
  lidt idtr
  # gate of vector n: irq0 at 20h, irq4 at 24h
  mov $irq0, %eax
  mov $0x90100, %edi
  call gate
  mov $irq4, %eax
  mov $0x90120, %edi
  call gate
  mov $irq8, %eax
  mov $0x90140, %edi
  call gate
  mov $0x11, %al
  out %al, $0x20
  out %al, $0xa0
  mov $0x20, %al
  out %al, $0x21
  mov $0x28, %al
  out %al, $0xa1
  mov $4, %al
  out %al, $0x21
  mov $2, %al
  out %al, $0xa1
  mov $1, %al
  out %al, $0x21
  out %al, $0xa1
  mov $0xea, %al
  out %al, $0x21
  mov $0xfe, %al
  out %al, $0xa1
  mov $0x0b, %al       # RTC: periodic interrupts, 1024 Hz
  out %al, $0x70
  mov $0x42, %al
  out %al, $0x71
  mov $0x34, %al
  out %al, $0x43
  mov $0xa9, %al       # 425 ticks: 0.36 ms
  out %al, $0x40
  mov $1, %al
  out %al, $0x40
  mov $0x3f9, %edx     # UART: received-data interrupts, OUT2
  mov $1, %al
  out %al, %dx
  mov $0x3fc, %edx
  mov $0x0b, %al
  out %al, %dx
  xor %ebx, %ebx       # rounds
  mov $0x12345678, %esi
  sti
round:
  # xorshift, and a store somewhere in 256 KiB
  mov %esi, %eax
  shl $13, %eax
  xor %eax, %esi
  mov %esi, %eax
  shr $17, %eax
  xor %eax, %esi
  mov %esi, %eax
  shl $5, %eax
  xor %eax, %esi
  mov %esi, %eax
  and $0xffff, %eax
  mov %esi, 0x200000(,%eax,4)
  inc %ebx
  test $7, %bl
  jnz 2f
  cli
  mov 0x90010, %eax    # ticks, read and stored with interrupts off
  add %esi, %eax
  mov %eax, 0x90014
  sti
2: test $0x3f, %bl
  jnz 3f
  push %esi            # 64 dwords
  mov $0x200000, %esi
  mov $0x300000, %edi
  mov $64, %ecx
  cld
  rep movsl
  pop %esi
3: test $0xff, %bl
  jnz 4f
  rdtsc
  add %eax, 0x90018
  xor %eax, %eax
  out %al, $0x43
  in $0x40, %al
  xchg %al, %ah
  in $0x40, %al
  add %eax, 0x9001c
4: test $0x3ff, %ebx
  jnz 5f
  mov $0x3f8, %edx
  mov %ebx, %eax
  shr $10, %eax
  and $15, %eax
  add $0x41, %eax
  out %al, %dx
  hlt
5: cmp limit, %ebx
  jne round
  cli
  mov $0x10, %al
  out %al, $0xf4
6: hlt
  jmp 6b
gate:
  mov %ax, (%edi)
  movw $8, 2(%edi)
  shr $16, %eax
  movw $0x8e00, 4(%edi)
  mov %ax, 6(%edi)
  ret
irq0:
  push %eax
  incl 0x90010
  mov $0x20, %al
  out %al, $0x20
  pop %eax
  iret
irq4:
  push %eax
  push %edx
  mov $0x3f8, %edx
  in %dx, %al
  add %al, 0x90020
  inc %al
  out %al, %dx
  mov $0x20, %al
  out %al, $0x20
  pop %edx
  pop %eax
  iret
irq8:
  push %eax
  incl 0x90024
  mov $0x0c, %al
  out %al, $0x70
  in $0x71, %al
  mov $0x20, %al
  out %al, $0xa0
  out %al, $0x20
  pop %eax
  iret
.align 8
gdt: .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdtr: .word 23
  .long gdt
idtr: .word 0x7ff
  .long 0x90000
limit: .long 200000
*/
const CODE = [
  'fabc000008000f0115a8011000ea140010000800b8100000008ed88ec08ed00f011dae011000b855',
  '011000bf00010900e809010000b862011000bf20010900e8fa000000b87a011000bf40010900e8eb',
  '000000b011e620e6a0b020e621b028e6a1b004e621b002e6a1b001e621e6a1b0eae621b0fee6a1b0',
  '0be670b042e671b034e643b0a9e640b001e640baf9030000b001eebafc030000b00bee31dbbe7856',
  '3412fb89f0c1e00d31c689f0c1e81131c689f0c1e00531c689f025ffff00008934850000200043f6',
  'c307750efaa11000090001f0a314000900fbf6c33f751456be00002000bf00003000b940000000fc',
  'f3a55ef6c3ff75180f3101051800090031c0e643e44086c4e44001051c000900f7c3ff0300007512',
  'baf803000089d8c1e80a83e00f83c041eef43b1db40110000f856dfffffffab010e6f4f4ebfd6689',
  '0766c747020800c1e81066c74704008e66894706c350ff0510000900b020e62058cf5052baf80300',
  '00ec000520000900fec0eeb020e6205a58cf50ff0524000900b00ce670e471b020e6a0e62058cf90',
  '0000000000000000ffff0000009bcf00ffff00000093cf00170090011000ff0700000900400d0300',
].join('');

/** The guest exits with this value. */
export const EXIT_VALUE = 0x10;

/** Symbols of the guest. */
export const SYMBOLS = {
  round: 0x1000a3,
  irq0: 0x100155,
  /** The instruction behind the one that counts the tick. */
  afterTick: 0x10015c,
  ticks: 0x90010,
  limit: 0x1001b4,
} as const;

/** A machine with this guest, about to execute its first instruction. */
export function timerGuest(rounds = 20_000): Machine {
  const machine = new Machine({ memoryBytes: 8 << 20 });
  const { physical } = machine.cpu.core;
  physical.load(ORIGIN, Buffer.from(CODE, 'hex'));
  physical.write(SYMBOLS.limit, 4, rounds);
  enterProtectedMode(machine, { entry: ORIGIN, stack: STACK, eax: 0, ebx: 0 });
  return machine;
}
