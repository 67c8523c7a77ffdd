/* How operands are made for a row of instructions.S, and how its mask of flags is found. */
#define PLAIN 0    /* EBX points at operand, ESI is 0 to 3, the rest is anything */
#define ANYTHING 1 /* registers are anything, EBX too */
#define STRING 2   /* ESI and EDI point into operand, ECX is small, DF is anything */
#define COUNT 3    /* CL is a shift's count */
#define COUNT16 4  /* and none above 16 under the mask of 31 */
#define BITS 5     /* ECX is the number of a bit in operand, from its middle */
#define DIVIDE 6   /* EDX:EAX is often small enough for the divisor */
#define SPARSE 7   /* ECX and operand have few bits or none */
#define COUNTER 8  /* ECX is small or huge */
#define COMPARE 9  /* EAX, EDX:EAX often equal what lies at EBX and in ECX */
#define FLAGS 10   /* what lies on the stack and in EAX are arithmetic flags, DF and IF */
#define FRAME 11   /* EBP points into the stack, and so do the dwords there */
#define RANGE 12   /* ECX is often between the bounds at EBX */

/* A shift's mask: bit 31, its kind, operand bits, and the count, CL_COUNT for that in CL. */
#define ROTATE 0
#define SHIFT 1
#define ARITHMETIC 2
#define DOUBLE 3
#define CL_COUNT 0x40
#define SHIFT_MASK(kind, bits, count) (0x80000000 | (kind) << 16 | (bits) << 8 | (count))
