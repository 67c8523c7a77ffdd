/** Bits of the x87's control and status words. Intel SDM vol. 1 §8.1.3 and §8.1.5. */

// Exceptions: the same bits are flags in the status word and masks in the control word.
export const FPU_IE = 1 << 0;
export const FPU_DE = 1 << 1;
export const FPU_ZE = 1 << 2;
export const FPU_OE = 1 << 3;
export const FPU_UE = 1 << 4;
export const FPU_PE = 1 << 5;
/** All six exceptions. */
export const FPU_EXCEPTIONS = 0x3f;
/** Those that are found before there is a result: unmasked, they leave registers as they were. */
export const FPU_BEFORE_RESULT = FPU_IE | FPU_DE | FPU_ZE;

/** An invalid operation was a stack fault: C1 says whether over- (1) or underflow. */
export const FPU_SF = 1 << 6;
/** Exception summary: an unmasked exception waits. */
export const FPU_ES = 1 << 7;
export const FPU_C0 = 1 << 8;
export const FPU_C1 = 1 << 9;
export const FPU_C2 = 1 << 10;
export const FPU_C3 = 1 << 14;
/** All condition codes but C1, which most instructions leave alone. */
export const FPU_CONDITION = FPU_C0 | FPU_C2 | FPU_C3;
/** Busy: the same as ES, kept for the 8087's sake. */
export const FPU_BUSY = 1 << 15;
/** The number of the register that is ST(0). */
export const FPU_TOP = 7 << 11;
export const FPU_TOP_SHIFT = 11;

/** Precision and rounding together, in place, and what of them is the default of FNINIT. */
export const FPU_PRECISION_AND_ROUNDING = 0xf00;
export const FPU_EXTENDED_NEAREST = 0x300;
export const FPU_ROUNDING_SHIFT = 10;
export const FPU_PRECISION_SHIFT = 8;

// Rounding control.
export const ROUND_NEAREST = 0;
export const ROUND_DOWN = 1;
export const ROUND_UP = 2;
export const ROUND_TO_ZERO = 3;

/** Bits of the control word that exist; bit 6 reads as one. */
export const FPU_CONTROL_WRITABLE = 0x1f3f;
export const FPU_CONTROL_FIXED = 0x40;
/** What FNINIT loads. */
export const FPU_CONTROL_INITIAL = 0x37f;
