/** Where things lie in the 64 KiB that a stream runs in. Linear addresses below 64 KiB are the same. */
export const RAM_BYTES = 0x10000;
export const GDT = 0x1000;
export const LDT = 0x1200;
export const IDT = 0x1400;
export const HANDLERS = 0x1c00;
/** The TSS of the running task; two others, 32 and 16 bits wide. */
export const TSS = 0x2000;
export const TSS_32 = 0x2800;
export const TSS_16 = 0x2a00;
export const DIRECTORY = 0x3000;
export const LOW_TABLE = 0x4000;
/** Maps the last 4 MiB. */
export const HIGH_TABLE = 0x5000;
/** PAE paging: the directory of the first gigabytes, and that of the last. */
export const POINTED_DIRECTORY = 0x7000;
export const HIGH_DIRECTORY = 0xf000;
/** Stacks of CPL 0 to 3 end at STACKS + 400h, + 800h, + C00h, + 1000h. */
export const STACKS = 0x6000;
export const STACK_BYTES = 0x400;
export const CODE = 0x8000;
export const CODE_END = 0xa000;
export const DATA = 0xa000;

// Selectors: code and data of each privilege level (to be ORed with the RPL), then the others.
export const CODE_SELECTOR = [0x08, 0x10, 0x18, 0x20];
export const DATA_SELECTOR = [0x28, 0x30, 0x38, 0x40];
export const TSS_SELECTOR = 0x48;
export const LDT_SELECTOR = 0x50;
export const TSS_32_SELECTOR = 0x58;
export const TSS_16_SELECTOR = 0x60;
/** From here on: call gates, task gates, anything. */
export const FREE_SELECTOR = 0x68;
export const GDT_ENTRIES = 64;
export const LDT_ENTRIES = 32;
