/** Guests of a few bytes, for flat loading at GUEST_ADDRESS. */

export const GUEST_ADDRESS = '0x100000';

function guest(...lines: string[]): Buffer {
  return Buffer.from(lines.map((line) => line.split(';')[0].replaceAll(' ', '')).join(''), 'hex');
}

/** Sends "hi\n" and writes 31h to port F4h: exit status 99. */
export const HELLO = guest(
  '66 BA F8 03 ; mov $0x3f8,%dx',
  'B0 68 EE    ; mov $"h",%al; out %al,(%dx)',
  'B0 69 EE',
  'B0 0A EE',
  'B0 31 E6 F4 ; mov $0x31,%al; out %al,$0xf4',
);

/** Sends back each byte that arrives, up to and with a "q", then ends with status 99. */
export const ECHO = guest(
  '66 BA FD 03 ; mov $0x3fd,%dx',
  'EC          ; in (%dx),%al',
  'A8 01       ; test $1,%al: a byte is there',
  '74 F7       ; je to the start',
  '66 BA F8 03 ; mov $0x3f8,%dx',
  'EC EE       ; in (%dx),%al; out %al,(%dx)',
  '3C 71       ; cmp $"q",%al',
  '75 ED       ; jne to the start',
  'B0 31 E6 F4 ; mov $0x31,%al; out %al,$0xf4',
);

/** The same, with the receiver's interrupt enabled in the UART, and off in the processor. */
export const LISTENER = Buffer.concat([
  guest('66 BA F9 03 ; mov $0x3f9,%dx', 'B0 01 EE    ; mov $1,%al; out %al,(%dx)'),
  ECHO,
]);

/** Sends "x" and loops for ever. */
export const LOOP = guest(
  '66 BA F8 03 ; mov $0x3f8,%dx',
  'B0 78 EE    ; mov $"x",%al; out %al,(%dx)',
  '40          ; inc %eax',
  'EB FD       ; jmp to the inc',
);

/** Sends "x" for ever. */
export const CHATTER = guest(
  '66 BA F8 03 ; mov $0x3f8,%dx',
  'B0 78       ; mov $"x",%al',
  'EE          ; out %al,(%dx)',
  'EB FD       ; jmp to the out',
);

/** Halts for good. */
export const HALT = guest('FA F4 ; cli; hlt');

/** Reads the time-stamp counter for ever: a clock event each time. */
export const CLOCKS = guest('0F 31 EB FC ; rdtsc; jmp to the start');

/** No IDT, and an exception: a triple fault. */
export const TRIPLE = guest('0F 0B ; ud2');
