# The instructions that the program runs, one row each: a name, the code, how its operands are made
# (setups.h), and which flags it defines.

#include "setups.h"

        STATUS = 0x8d5
        CF = 1
        PF = 4
        AF = 0x10
        ZF = 0x40
        SF = 0x80
        OF = 0x800
        DF = 0x400
        ALL = STATUS | DF
        LOGIC = ALL & ~AF
        PRODUCT = CF | OF | DF
        DECIMAL = SF | ZF | PF | DF
        BIT = CF | ZF | DF

        .macro START setup, mask, name
        .pushsection .rodata.names, "a"
10:     .asciz "\name"
        .popsection
        .pushsection .rodata.table, "a"
        .long 10b, 11f, \setup, \mask
        .popsection
11:
        .endm

        .macro FINISH
        jmp executed
        .endm

        .macro ROW setup, mask, code:vararg
        START \setup, \mask, "\code"
        \code
        FINISH
        .endm

        .macro BYTES setup, mask, name, bytes:vararg
        START \setup, \mask, "\name"
        .byte \bytes
        FINISH
        .endm

        .section .rodata.table, "a"
        .balign 4
        .globl table
table:
        .text

# --- arithmetic and logic ---

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
        .macro LOAD op, mask
        ROW PLAIN, \mask, \op\()b operand+3, %dl
        ROW PLAIN, \mask, \op\()w operand+3, %dx
        ROW PLAIN, \mask, \op\()l operand+3, %edx
        .endm
        .irp op, add, adc, sub, sbb, cmp
        ALU \op, ALL
        LOAD \op, ALL
        .endr
        .irp op, and, or, xor
        ALU \op, LOGIC
        LOAD \op, LOGIC
        .endr
        ALU test, LOGIC

        .macro UNARY op
        ROW PLAIN, ALL, \op\()b %cl
        ROW PLAIN, ALL, \op\()b %dh
        ROW PLAIN, ALL, \op\()w %cx
        ROW PLAIN, ALL, \op\()l %edx
        ROW PLAIN, ALL, \op\()b (%ebx)
        ROW PLAIN, ALL, \op\()w 3(%ebx)
        ROW PLAIN, ALL, \op\()l 3(%ebx)
        ROW PLAIN, ALL, lock \op\()l 3(%ebx)
        .endm
        .irp op, inc, dec, neg, not
        UNARY \op
        .endr
        .irp op, add, or, adc, sbb, and, sub, xor
        ROW PLAIN, LOGIC, lock \op\()l %ecx, (%ebx)
        ROW PLAIN, LOGIC, lock \op\()b $0x55, (%ebx)
        .endr
        BYTES PLAIN, ALL, "lock addl %ecx, %eax (#UD)", 0xf0, 0x01, 0xc8
        BYTES PLAIN, ALL, "lock cmpl %ecx, (%ebx) (#UD)", 0xf0, 0x39, 0x0b
        BYTES PLAIN, ALL, "addb $5, %cl (82h)", 0x82, 0xc1, 0x05
        BYTES PLAIN, LOGIC, "testb $5, %cl (F6h /1)", 0xf6, 0xc9, 0x05

# --- shifts ---

        .macro SHIFTS op, kind
        .irp count, 1, 2, 7, 8, 9, 15, 16, 17, 25, 31, 32, 33
        ROW PLAIN, SHIFT_MASK(\kind, 8, \count), \op\()b $\count, %al
        ROW PLAIN, SHIFT_MASK(\kind, 16, \count), \op\()w $\count, %dx
        ROW PLAIN, SHIFT_MASK(\kind, 32, \count), \op\()l $\count, %ecx
        .endr
        ROW COUNT, SHIFT_MASK(\kind, 8, CL_COUNT), \op\()b %cl, %ah
        ROW COUNT, SHIFT_MASK(\kind, 16, CL_COUNT), \op\()w %cl, %dx
        ROW COUNT, SHIFT_MASK(\kind, 32, CL_COUNT), \op\()l %cl, %eax
        ROW COUNT, SHIFT_MASK(\kind, 32, CL_COUNT), \op\()l %cl, %ecx
        ROW COUNT, SHIFT_MASK(\kind, 8, CL_COUNT), \op\()b %cl, (%ebx)
        ROW COUNT, SHIFT_MASK(\kind, 16, CL_COUNT), \op\()w %cl, 3(%ebx)
        ROW COUNT, SHIFT_MASK(\kind, 32, CL_COUNT), \op\()l %cl, 3(%ebx)
        ROW PLAIN, SHIFT_MASK(\kind, 32, 5), \op\()l $5, 2(%ebx,%esi,2)
        .endm
        SHIFTS rol, ROTATE
        SHIFTS ror, ROTATE
        SHIFTS rcl, ROTATE
        SHIFTS rcr, ROTATE
        SHIFTS shl, SHIFT
        SHIFTS shr, SHIFT
        SHIFTS sar, ARITHMETIC
        BYTES COUNT, SHIFT_MASK(SHIFT, 32, CL_COUNT), "shll %cl, %eax (D3h /6)", 0xd3, 0xf0

        .irp op, shld, shrd
        .irp count, 0, 1, 2, 8, 15, 16
        ROW PLAIN, SHIFT_MASK(DOUBLE, 16, \count), \op\()w $\count, %dx, %ax
        ROW PLAIN, SHIFT_MASK(DOUBLE, 32, \count), \op\()l $\count, %edx, %eax
        .endr
        ROW PLAIN, SHIFT_MASK(DOUBLE, 32, 31), \op\()l $31, %edx, (%ebx)
        ROW PLAIN, SHIFT_MASK(DOUBLE, 32, 33), \op\()l $33, %edx, %edx
        ROW COUNT16, SHIFT_MASK(DOUBLE, 16, CL_COUNT), \op\()w %cl, %dx, %ax
        ROW COUNT16, SHIFT_MASK(DOUBLE, 16, CL_COUNT), \op\()w %cl, %dx, 1(%ebx)
        ROW COUNT, SHIFT_MASK(DOUBLE, 32, CL_COUNT), \op\()l %cl, %edx, %eax
        ROW COUNT, SHIFT_MASK(DOUBLE, 32, CL_COUNT), \op\()l %cl, %edx, 1(%ebx)
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
        WIDE mul, PLAIN, PRODUCT
        WIDE imul, PLAIN, PRODUCT
        WIDE div, DIVIDE, DF
        WIDE idiv, DIVIDE, DF
        ROW PLAIN, PRODUCT, imulw %cx, %dx
        ROW PLAIN, PRODUCT, imull %ecx, %edx
        ROW PLAIN, PRODUCT, imulw 3(%ebx), %dx
        ROW PLAIN, PRODUCT, imull 3(%ebx), %edx
        ROW PLAIN, PRODUCT, imulw $-7, %cx, %dx
        ROW PLAIN, PRODUCT, imull $-7, %ecx, %edx
        ROW PLAIN, PRODUCT, imulw $0x1234, %cx, %dx
        ROW PLAIN, PRODUCT, imull $0x12345678, (%ebx), %edx
        ROW PLAIN, ALL & ~OF, daa
        ROW PLAIN, ALL & ~OF, das
        ROW PLAIN, CF | AF | DF, aaa
        ROW PLAIN, CF | AF | DF, aas
        .irp base, 0, 1, 7, 10, 16, 255
        BYTES PLAIN, DECIMAL, "aam \base", 0xd4, \base
        BYTES PLAIN, DECIMAL, "aad \base", 0xd5, \base
        .endr

# --- bits ---

        .irp op, bt, bts, btr, btc
        ROW PLAIN, BIT, \op\()w %cx, %dx
        ROW PLAIN, BIT, \op\()l %ecx, %edx
        ROW PLAIN, BIT, \op\()w $21, %dx
        ROW PLAIN, BIT, \op\()l $37, %edx
        ROW BITS, BIT, \op\()w %cx, operand+64
        ROW BITS, BIT, \op\()l %ecx, operand+64
        ROW PLAIN, BIT, \op\()w $9, 1(%ebx)
        ROW PLAIN, BIT, \op\()l $70, 1(%ebx)
        .endr
        ROW BITS, BIT, lock btsl %ecx, operand+64
        .irp op, bsf, bsr
        ROW SPARSE, ZF | DF, \op\()w %cx, %dx
        ROW SPARSE, ZF | DF, \op\()l %ecx, %edx
        ROW SPARSE, ZF | DF, \op\()w (%ebx), %dx
        ROW SPARSE, ZF | DF, \op\()l (%ebx), %edx
        .endr

# --- conditions ---

        .irp cc, o, no, b, ae, e, ne, be, a, s, ns, p, np, l, ge, le, g
        ROW PLAIN, ALL, set\cc %cl
        ROW PLAIN, ALL, set\cc (%ebx)
        ROW PLAIN, ALL, cmov\cc\()w %cx, %dx
        ROW PLAIN, ALL, cmov\cc\()l %ecx, %edx
        ROW PLAIN, ALL, cmov\cc\()l 3(%ebx), %edx
        START PLAIN, ALL, "j\cc short"
        j\cc 12f
        movl $1, operand
12:     FINISH
        START PLAIN, ALL, "j\cc near"
        {disp32} j\cc 12f
        movl $1, operand
12:     FINISH
        .endr
        .irp op, loop, loope, loopne, jecxz, loopw, jcxz
        START COUNTER, ALL, "\op"
        \op 12f
        movl $1, operand
12:     FINISH
        .endr
        START STRING, ALL, "loop until 0"
        leal 1(%ecx), %ecx
12:     leal 3(%eax), %eax
        loop 12b
        FINISH

# --- moves ---

        .irp form, "%cl, %dh", "%ah, 8(%ebx,%esi,4)", "(%ebx), %ch", "$0x5a, %ah", "$0xa5, (%ebx)", "operand+7, %al", "%al, operand+9"
        ROW PLAIN, ALL, movb \form
        .endr
        .irp form, "%cx, %dx", "%ax, 7(%ebx)", "3(%ebx), %di", "$0x1234, %bp", "$0xa55a, (%ebx)", "operand+7, %ax", "%ax, operand+9"
        ROW PLAIN, ALL, movw \form
        .endr
        .irp form, "%ecx, %edx", "%ebp, 7(%ebx)", "3(%ebx), %edi", "$0x12345678, %ebp", "$0xa55a1234, (%ebx)", "operand+7, %eax", "%eax, operand+9"
        ROW PLAIN, ALL, movl \form
        .endr
        .irp op, movzb, movsb
        .irp form, "w %cl, %dx", "l %ch, %edx", "w (%ebx), %cx", "l (%ebx), %ecx"
        ROW PLAIN, ALL, \op\form
        .endr
        .endr
        .irp op, movzwl, movswl
        ROW PLAIN, ALL, \op %cx, %edx
        ROW PLAIN, ALL, \op 1(%ebx), %ecx
        .endr
        .irp op, xchg, xadd
        .irp form, "b %cl, %dh", "b %ah, (%ebx)", "w %cx, %dx", "w %dx, 1(%ebx)", "l %ecx, %edi", "l %ecx, %ecx", "l %edx, 1(%ebx)"
        ROW PLAIN, ALL, \op\form
        .endr
        .endr
        .irp form, "w %ax, %cx", "l %eax, %edi", "l %ebp, %eax"
        ROW PLAIN, ALL, xchg\form
        .endr
        ROW PLAIN, ALL, lock xaddl %edx, 1(%ebx)
        ROW COMPARE, ALL, cmpxchgb %dl, %cl
        ROW COMPARE, ALL, cmpxchgw %dx, %cx
        ROW COMPARE, ALL, cmpxchgl %edx, %ecx
        ROW COMPARE, ALL, cmpxchgb %dl, (%ebx)
        ROW COMPARE, ALL, cmpxchgw %dx, (%ebx)
        ROW COMPARE, ALL, cmpxchgl %edx, (%ebx)
        ROW COMPARE, ALL, lock cmpxchgl %edx, (%ebx)
        ROW COMPARE, ALL, cmpxchg8b (%ebx)
        ROW COMPARE, ALL, lock cmpxchg8b (%ebx)
        .irp register, eax, ecx, edx, ebx, ebp, esi, edi
        ROW ANYTHING, ALL, bswap %\register
        .endr
        .irp op, cbtw, cwtl, cwtd, cltd, lahf, sahf, cmc, clc, stc, cld, std, nop, salc
        .ifc \op, salc
        BYTES PLAIN, ALL, salc, 0xd6
        .else
        ROW PLAIN, ALL, \op
        .endif
        .endr
        ROW PLAIN, ALL, xlat
        BYTES PLAIN, ALL, "nop (%ebx)", 0x0f, 0x1f, 0x03
        BYTES PLAIN, ALL, "hint nop 19h", 0x0f, 0x19, 0xc1

# Every way to name an address.
        .irp base, %eax, %ecx, %edx, %ebx, %esp, %ebp, %esi, %edi
        ROW ANYTHING, ALL, leal (\base), %edi
        ROW ANYTHING, ALL, leal 5(\base), %edi
        ROW ANYTHING, ALL, leal 0x12345678(\base), %edi
        .irp index, %eax, %ecx, %edx, %ebx, %ebp, %esi, %edi
        ROW ANYTHING, ALL, leal (\base,\index), %edi
        ROW ANYTHING, ALL, leal -7(\base,\index,8), %edi
        .endr
        .endr
        .irp index, %eax, %ecx, %edx, %ebx, %ebp, %esi, %edi
        ROW ANYTHING, ALL, leal 0x1000(,\index,2), %ecx
        ROW ANYTHING, ALL, leaw 0x1000(,\index,4), %cx
        .endr
        .irp form, "(%bx,%si)", "(%bx,%di)", "(%bp,%si)", "(%bp,%di)", "(%si)", "(%di)", "0x1234", "(%bx)"
        ROW ANYTHING, ALL, addr16 leal \form, %ecx
        ROW ANYTHING, ALL, addr16 leaw \form, %cx
        .endr
        .irp form, "(%bx,%si)", "(%bx,%di)", "(%bp,%si)", "(%bp,%di)", "(%si)", "(%di)", "(%bp)", "(%bx)"
        ROW ANYTHING, ALL, leal -5\form, %ecx
        ROW ANYTHING, ALL, leal 0x7ff0\form, %ecx
        .endr

# --- strings ---

        .irp op, movs, stos, lods
        .irp size, b, w, l
        ROW STRING, ALL, \op\size
        ROW STRING, ALL, rep \op\size
        ROW STRING, ALL, repne \op\size
        .endr
        .endr
        .irp op, cmps, scas
        .irp size, b, w, l
        ROW STRING, ALL, \op\size
        ROW STRING, ALL, repe \op\size
        ROW STRING, ALL, repne \op\size
        .endr
        .endr

# --- stack ---

        .irp form, "w %cx", "l %ecx", "l %esp", "w %sp", "w (%ebx)", "l 3(%ebx)", "l $-3", "w $-3", "l $0x12345678", "w $0x1234", "l 4(%esp)"
        ROW PLAIN, ALL, push\form
        .endr
        .irp form, "w %cx", "l %ecx", "l %esp", "w %sp", "w (%ebx)", "l 3(%ebx)", "l 4(%esp)", "w -2(%esp)"
        ROW PLAIN, ALL, pop\form
        .endr
        .irp op, pushal, pushaw, popal, popaw, pushfl, pushfw
        ROW PLAIN, ALL, \op
        .endr
        ROW FLAGS, ALL, popfl
        ROW FLAGS, ALL, popfw
        ROW FRAME, ALL, leavel
        ROW FRAME, ALL, leavew
        .irp level, 0, 1, 2, 3, 7, 31, 32
        ROW FRAME, ALL, enterl $12, $\level
        ROW FRAME, ALL, enterw $12, $\level
        .endr
        START PLAIN, ALL, "call near"
        call 12f
12:     FINISH
        START PLAIN, ALL, "calll *%ecx"
        movl $12f, %ecx
        call *%ecx
        movl $1, operand
12:     FINISH
        START PLAIN, ALL, "calll *4(%ebx)"
        movl $12f, 4(%ebx)
        call *4(%ebx)
        movl $1, operand
12:     FINISH
        START PLAIN, ALL, "jmp *4(%ebx)"
        movl $12f, 4(%ebx)
        jmp *4(%ebx)
        movl $1, operand
12:     FINISH
        START PLAIN, ALL, "ret"
        pushl $12f
        ret
        movl $1, operand
12:     FINISH
        START PLAIN, ALL, "ret $20"
        pushl $12f
        ret $20
        movl $1, operand
12:     FINISH

# --- segments and far transfers, which leave no selector where it shows ---

        ROW PLAIN, ALL, arpl %cx, %dx
        ROW PLAIN, ALL, arpl %cx, (%ebx)
        START PLAIN, ALL, "movl %eax, %es"
        movl %ds, %eax
        movl %eax, %es
        movl $0, %eax
        FINISH
        START PLAIN, ALL, "popl %fs"
        movl $3, (%esp)
        popl %fs
        FINISH
        .irp op, les, lds, lfs, lgs, lss
        START PLAIN, ALL, "\op (%ebx), %ecx"
        movw %ds, 4(%ebx)
        \op (%ebx), %ecx
        movl $0, 4(%ebx)
        FINISH
        START PLAIN, ALL, "\op (%ebx), %cx"
        movw %ds, 2(%ebx)
        \op (%ebx), %cx
        movl $0, 2(%ebx)
        FINISH
        .endr
        .irp segment, %cs, %ds
        .irp op, verr, verw
        START PLAIN, ALL, "\op \segment"
        movl \segment, %eax
        \op %ax
        movl $0, %eax
        FINISH
        .endr
        .irp op, lar, lsl
        START PLAIN, ALL, "\op \segment"
        movl \segment, %eax
        \op %eax, %ecx
        \op %ax, %dx
        movl $0, %eax
        FINISH
        .endr
        .endr
        START PLAIN, ALL, "lar, lsl, verr, verw of 0"
        movl $3, %eax
        lar %eax, %ecx
        lsl %eax, %edx
        FINISH
        START PLAIN, ALL, "ljmp *(%ebx)"
        movl $12f, (%ebx)
        movw %cs, 4(%ebx)
        ljmp *(%ebx)
        movl $1, operand
12:     movl $0, 4(%ebx)
        FINISH
        START PLAIN, ALL, "lcall *(%ebx)"
        movl $12f, (%ebx)
        movw %cs, 4(%ebx)
        lcall *(%ebx)
        movl $1, operand
12:     movl $0, 4(%ebx)
        movl $0, 4(%esp)
        FINISH
        START PLAIN, ALL, "lret"
        pushl %cs
        pushl $12f
        lret
        movl $1, operand
12:     movl $0, -4(%esp)
        FINISH
        START PLAIN, ALL, "lret $12"
        pushl %cs
        pushl $12f
        lret $12
        movl $1, operand
12:     movl $0, -16(%esp)
        FINISH
        START PLAIN, ALL, "iretl"
        pushfl
        pushl %cs
        pushl $12f
        iretl
        movl $1, operand
12:     movl $0, -8(%esp)
        FINISH
        START FLAGS, ALL, "iretl with other flags"
        movl %cs, %eax
        pushl %eax
        pushl $12f
        iretl
        movl $1, operand
12:     movl $0, -8(%esp)
        movl $0, %eax
        FINISH

# --- exceptions ---

        ROW RANGE, ALL, boundw %cx, (%ebx)
        ROW RANGE, ALL, boundl %ecx, (%ebx)
        ROW PLAIN, ALL, into
        ROW PLAIN, ALL, int3
        ROW PLAIN, ALL, ud2
        ROW PLAIN, ALL, hlt
        ROW PLAIN, ALL, cli
        BYTES PLAIN, ALL, "mov %cr0, %eax (#GP)", 0x0f, 0x20, 0xc0
        BYTES PLAIN, ALL, "mov %eax, %cs (#UD)", 0x8e, 0xc8
        BYTES PLAIN, ALL, "lea %ecx, %ecx (#UD)", 0x8d, 0xc9
        BYTES PLAIN, ALL, "16 bytes (#GP)", 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90

        .pushsection .rodata.table, "a"
        .long 0
        .popsection
        .section .note.GNU-stack, "", @progbits
