# The instructions that the program runs, one row each: a name, the code, how operands are made for it
# (see program.c), and which of its flags are defined.
#
# Of the operands: EBX points at `operand`, ESI is a small index, ESP and EBP point into `stack`, all
# else is arbitrary.

#define ASSEMBLER
#include "setups.h"

        STATUS = 0x8d5
        CF = 1
        AF = 0x10
        ZF = 0x40
        OF = 0x800
        DF = 0x400
        EVERY = STATUS | DF
        LOGIC = EVERY & ~AF

        .macro NAMED setup, mask, name, code:vararg
        .pushsection .rodata.names, "a"
10:     .asciz "\name"
        .popsection
        .pushsection .rodata.table, "a"
        .long 10b, 11f, \setup, \mask
        .popsection
11:     \code
        jmp executed
        .endm

        .macro ROW setup, mask, code:vararg
        NAMED \setup, \mask, "\code", \code
        .endm

# The same in all sizes: \op gets its suffix, $, # and @ after a register letter become its names.
        .macro ACC setup, mask, op, operands:vararg
        NAMED \setup, \mask, "\op\()b \operands, al", \op\()b \operands, %al
        NAMED \setup, \mask, "\op\()w \operands, ax", \op\()w \operands, %ax
        NAMED \setup, \mask, "\op\()l \operands, eax", \op\()l \operands, %eax
        .endm

        .section .rodata.table, "a"
        .globl table
table:
        .text

# --- arithmetic and logic with two operands ---
        .macro ALU op, mask
        ROW PLAIN, \mask, \op\()b %cl, %al
        ROW PLAIN, \mask, \op\()b %ch, %dl
        ROW PLAIN, \mask, \op\()b %al, %ah
        ROW PLAIN, \mask, \op\()w %cx, %ax
        ROW PLAIN, \mask, \op\()l %ecx, %eax
        ROW PLAIN, \mask, \op\()l %edi, %edi
        ROW PLAIN, \mask, \op\()b %dh, 8(%ebx,%esi,4)
        ROW PLAIN, \mask, \op\()w %dx, 8(%ebx,%esi,4)
        ROW PLAIN, \mask, \op\()l %edx, 8(%ebx,%esi,4)
        ROW PLAIN, \mask, \op\()b operand+3, %dl
        ROW PLAIN, \mask, \op\()w operand+3, %dx
        ROW PLAIN, \mask, \op\()l operand+3, %edx
        ROW PLAIN, \mask, \op\()b $0x7f, %al
        ROW PLAIN, \mask, \op\()w $0x8001, %ax
        ROW PLAIN, \mask, \op\()l $0x80000001, %eax
        ROW PLAIN, \mask, \op\()b $0x80, %ch
        ROW PLAIN, \mask, \op\()w $0x1234, %dx
        ROW PLAIN, \mask, \op\()l $0x7fffffff, %ecx
        ROW PLAIN, \mask, \op\()b $0xf0, (%ebx)
        ROW PLAIN, \mask, \op\()w $0x7fff, (%ebx)
        ROW PLAIN, \mask, \op\()l $0x12345678, (%ebx)
        ROW PLAIN, \mask, \op\()w $-5, %cx
        ROW PLAIN, \mask, \op\()l $-5, %ecx
        ROW PLAIN, \mask, \op\()w $3, 1(%ebx)
        ROW PLAIN, \mask, \op\()l $3, 1(%ebx)
        .endm
        .irp op, add, adc, sub, sbb, cmp
        ALU \op, EVERY
        .endr
        .irp op, and, or, xor, test
        ALU \op, LOGIC
        .endr
        .macro UNARY op, mask
        .irp register, %cl, %dh
        ROW PLAIN, \mask, \op\()b \register
        .endr
        ROW PLAIN, \mask, \op\()w %cx
        ROW PLAIN, \mask, \op\()l %edx
        ROW PLAIN, \mask, \op\()b (%ebx)
        ROW PLAIN, \mask, \op\()w 3(%ebx)
        ROW PLAIN, \mask, \op\()l 3(%ebx)
        ROW PLAIN, \mask, lock \op\()l 3(%ebx)
        .endm
        .irp op, inc, dec, neg, not
        UNARY \op, EVERY
        .endr
        .irp op, add, or, adc, sbb, and, sub, xor
        ROW PLAIN, LOGIC, lock \op\()l %ecx, (%ebx)
        ROW PLAIN, LOGIC, lock \op\()b $0x55, (%ebx)
        .endr
        NAMED PLAIN, EVERY, "lock add %ecx, %eax", .byte 0xf0, 0x01, 0xc8
        NAMED PLAIN, EVERY, "lock cmp %ecx, (%ebx)", .byte 0xf0, 0x39, 0x0b
        NAMED PLAIN, EVERY, "82h add $5, %cl", .byte 0x82, 0xc1, 0x05
        NAMED PLAIN, LOGIC, "f6h /1 test $5, %cl", .byte 0xf6, 0xc9, 0x05

# --- shifts ---
        .macro SHIFT op
        .irp count, 1, 2, 7, 8, 9, 15, 16, 17, 25, 31, 32, 33
        ROW SHIFT_\count\(), SHIFTED_\op, \op\()b $\count, %al
        ROW SHIFT_\count\(), SHIFTED_\op, \op\()w $\count, %dx
        ROW SHIFT_\count\(), SHIFTED_\op, \op\()l $\count, %ecx
        .endr
        ROW SHIFT_CL, SHIFTED_\op, \op\()b %cl, %ah
        ROW SHIFT_CL, SHIFTED_\op, \op\()w %cl, %dx
        ROW SHIFT_CL, SHIFTED_\op, \op\()l %cl, %eax
        ROW SHIFT_CL, SHIFTED_\op, \op\()l %cl, %ecx
        ROW SHIFT_CL, SHIFTED_\op, \op\()b %cl, (%ebx)
        ROW SHIFT_CL, SHIFTED_\op, \op\()w %cl, 3(%ebx)
        ROW SHIFT_CL, SHIFTED_\op, \op\()l %cl, 3(%ebx)
        ROW SHIFT_5, SHIFTED_\op, \op\()l $5, 2(%ebx,%esi,2)
        .endm
        .irp op, rol, ror, rcl, rcr, shl, shr, sar
        SHIFT \op
        .endr
        NAMED SHIFT_CL, SHIFTED_shl, "d3h /6 shl %cl, %eax", .byte 0xd3, 0xf0
        .irp op, shld, shrd
        .irp count, 0, 1, 2, 8, 15, 16
        ROW SHIFT_\count\(), SHIFTED_double, \op\()w $\count, %dx, %ax
        ROW SHIFT_\count\(), SHIFTED_double, \op\()l $\count, %edx, %eax
        .endr
        ROW SHIFT_31, SHIFTED_double, \op\()l $31, %edx, (%ebx)
        ROW SHIFT_33, SHIFTED_double, \op\()l $33, %edx, %edx
        ROW SHIFT_CL16, SHIFTED_double, \op\()w %cl, %dx, %ax
        ROW SHIFT_CL16, SHIFTED_double, \op\()w %cl, %dx, 1(%ebx)
        ROW SHIFT_CL, SHIFTED_double, \op\()l %cl, %edx, %eax
        ROW SHIFT_CL, SHIFTED_double, \op\()l %cl, %edx, 1(%ebx)
        .endr

# --- multiplication, division, decimal ---
        .macro WIDE op, setup, mask
        ROW \setup, \mask, \op\()b %cl
        ROW \setup, \mask, \op\()w %cx
        ROW \setup, \mask, \op\()l %ecx
        ROW \setup, \mask, \op\()b (%ebx)
        ROW \setup, \mask, \op\()w (%ebx)
        ROW \setup, \mask, \op\()l (%ebx)
        .endm
        WIDE mul, PLAIN, CF|OF|DF
        WIDE imul, PLAIN, CF|OF|DF
        WIDE div, DIVIDE, DF
        WIDE idiv, DIVIDE, DF
        ROW PLAIN, CF|OF|DF, imulw %cx, %dx
        ROW PLAIN, CF|OF|DF, imull %ecx, %edx
        ROW PLAIN, CF|OF|DF, imulw 3(%ebx), %dx
        ROW PLAIN, CF|OF|DF, imull 3(%ebx), %edx
        ROW PLAIN, CF|OF|DF, imulw $-7, %cx, %dx
        ROW PLAIN, CF|OF|DF, imull $-7, %ecx, %edx
        ROW PLAIN, CF|OF|DF, imulw $0x1234, %cx, %dx
        ROW PLAIN, CF|OF|DF, imull $0x12345678, (%ebx), %edx
        .irp op, daa, das
        ROW PLAIN, EVERY&~OF, \op
        .endr
        .irp op, aaa, aas
        ROW PLAIN, CF|AF|DF, \op
        .endr
        .irp base, 0, 1, 7, 10, 16, 255
        NAMED PLAIN, STATUS&~(CF|OF|AF)|DF, "aam \base", .byte 0xd4, \base
        NAMED PLAIN, STATUS&~(CF|OF|AF)|DF, "aad \base", .byte 0xd5, \base
        .endr

# --- bits ---
        .macro BITS op
        ROW PLAIN, CF|ZF|DF, \op\()w %cx, %dx
        ROW PLAIN, CF|ZF|DF, \op\()l %ecx, %edx
        ROW PLAIN, CF|ZF|DF, \op\()w $21, %dx
        ROW PLAIN, CF|ZF|DF, \op\()l $37, %edx
        ROW BITS, CF|ZF|DF, \op\()w %cx, operand+100
        ROW BITS, CF|ZF|DF, \op\()l %ecx, operand+100
        ROW PLAIN, CF|ZF|DF, \op\()w $9, 1(%ebx)
        ROW PLAIN, CF|ZF|DF, \op\()l $70, 1(%ebx)
        .endm
        .irp op, bt, bts, btr, btc
        BITS \op
        .endr
        ROW BITS, CF|ZF|DF, lock btsl %ecx, operand+100
        .irp op, bsf, bsr
        ROW SPARSE, ZF|DF, \op\()w %cx, %dx
        ROW SPARSE, ZF|DF, \op\()l %ecx, %edx
        ROW SPARSE, ZF|DF, \op\()w (%ebx), %dx
        ROW SPARSE, ZF|DF, \op\()l (%ebx), %edx
        .endr

# --- conditions ---
        .irp cc, o, no, b, ae, e, ne, be, a, s, ns, p, np, l, ge, le, g
        ROW PLAIN, EVERY, set\cc\() %cl
        ROW PLAIN, EVERY, set\cc\() (%ebx)
        ROW PLAIN, EVERY, cmov\cc\()w %cx, %dx
        ROW PLAIN, EVERY, cmov\cc\()l %ecx, %edx
        ROW PLAIN, EVERY, cmov\cc\()l 3(%ebx), %edx
        NAMED PLAIN, EVERY, "j\cc (short)", j\cc\() took_branch
        NAMED PLAIN, EVERY, "j\cc (near)", .byte 0x0f; j\cc\()_near \cc
        .endr
        ROW PLAIN, EVERY, jmp took_branch
        NAMED COUNTER, EVERY, "loop", loop 12f; jmp 13f; 12: incl %eax; 13:
        NAMED COUNTER, EVERY, "loope", loope 12f; jmp 13f; 12: leal 1(%eax), %eax; 13:
        NAMED COUNTER, EVERY, "loopne", loopne 12f; jmp 13f; 12: leal 1(%eax), %eax; 13:
        NAMED COUNTER, EVERY, "jecxz", jecxz 12f; jmp 13f; 12: leal 1(%eax), %eax; 13:
        NAMED COUNTER, EVERY, "jcxz", .byte 0x67; jecxz 12f; jmp 13f; 12: leal 1(%eax), %eax; 13:
        NAMED COUNTER, EVERY, "loop until 0", 12: leal 3(%eax), %eax; loop 12b
