# LOCK, the length limit, opcodes that aren't there, and x87 exceptions.
# Intel SDM vol. 2 §2.1, "LOCK"; vol. 3A §2.2, §6.15, "Interrupt 6", "Interrupt 16".

        .include "paging.inc"

# Code across the end of the first page of L, so many bytes before it; the second isn't there.
        .macro AT_END name, before, bytes:vararg
        PAGED "\name"
        movl $81f, %esi
        movl $page_b - \before, %edi
        movl $82f - 81f, %ecx
        jmp 82f
81:     .byte \bytes
82:     rep movsb
        ENTRIES ALL, ALL, 0
        GO
        movl $L + 0x1000 - \before, test_start
        movl $L + 0x1000 - \before, %eax
        jmp *%eax
        END
        .endm

# A division by 0 that waits for the next instruction to report it.
        .macro PENDING
        SET_CR0 0x22                    # NE MP
        fninit
        movl $0x37b, scratch            # all masked but division by 0
        fldcw scratch
        fld1
        fldz
        fdivrp %st, %st(1)
        .endm

test_main:
        .irp code, "add %eax, scratch", "orl $1, scratch", "adcb %al, scratch", "sbbw $1, scratch", "andl %ebx, scratch", "subl $1, scratch", "xorl %eax, scratch", "notl scratch", "negb scratch", "incl scratch", "decw scratch", "btsl %ebx, scratch", "btrl $3, scratch", "btcl $3, scratch", "xchgl %eax, scratch", "xaddl %eax, scratch", "cmpxchgl %ecx, scratch", "cmpxchg8b scratch"
        TEST "lock \code"
        xorl %ebx, %ebx
        GO
        lock \code
        END
        .endr
        .irp code, "movl %eax, scratch", "cmpl %eax, scratch", "testl %eax, scratch", "btl $3, scratch", "shll $1, scratch", "imull scratch", "mull scratch", "pushl scratch", "stosb", "lgdt gdt_pointer", "fnstcw scratch", "nop", "cli", "bswap %eax", "jmp 8f"
        TEST "no lock \code"
        movl $scratch, %edi
        GO
        .byte 0xf0
        \code
8:      END
        .endr
        TEST "no lock popl"
        pushl %eax
        GO
        .byte 0xf0
        popl scratch
        END
        .irp code, "0x03,0x05", "0x0f,0xa3,0x05", "0x8d,0x05"
        TEST "no lock of a memory operand that is only read: \code"
        GO
        .byte 0xf0, \code
        .long scratch
        END
        .endr
        FAULTS "no lock of a register: xchg", .byte 0xf0, 0x87, 0xd8
        FAULTS "no lock of a register: inc", .byte 0xf0, 0x40
        FAULTS "no lock of a register: cmpxchg", .byte 0xf0, 0x0f, 0xb1, 0xc8
# QEMU 7.2 crashes at a lock of a register's BTS, BTR or BTC.
        USER_FAULTS "lock hlt is #UD before it is #GP", .byte 0xf0, 0xf4

# --- length ---
        .irp prefix, 0x26, 0x2e, 0x66, 0x67, 0xf2, 0xf3
        TEST "14 times \prefix before nop"
        GO
        .fill 14, 1, \prefix
        nop
        END
        TEST "15 times \prefix before nop"
        GO
        .fill 15, 1, \prefix
        nop
        END
        .endr
        TEST "addl $imm32, disp32(,%ecx,4) with 4 prefixes: 15 bytes"
        xorl %ecx, %ecx
        GO
        .byte 0x3e, 0x3e, 0x3e, 0x3e, 0x81, 0x04, 0x8d
        .long scratch, 1
        END
        TEST "with 5 prefixes: 16 bytes"
        GO
        .byte 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x81, 0x04, 0x8d
        .long scratch, 1
        END
        TEST "with LOCK and too long"
        GO
        .byte 0xf0, 0x3e, 0x3e, 0x3e, 0x3e, 0x81, 0x04, 0x8d
        .long scratch, 1
        END
        AT_END "14 prefixes, then no page", 14, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e
        AT_END "an opcode of two bytes, then no page", 1, 0x0f
        AT_END "lock nop, then no page", 2, 0xf0, 0x90
        AT_END "ud2, then no page", 2, 0x0f, 0x0b
        AT_END "ud1 without its ModRM byte, then no page", 2, 0x0f, 0xb9
        AT_END "an address without its upper bytes, then no page", 2, 0xa1, 0

# --- opcodes that aren't there ---
        .irp code, "0xfe,0xd0", "0xfe,0xe0", "0xfe,0xf8", "0xff,0xf8", "0xc6,0xc8,0", "0xc7,0xc8,0,0,0,0", "0x0f,0x04", "0x0f,0x0a", "0x0f,0x0c", "0x0f,0x36", "0x0f,0x39", "0x0f,0x3b", "0x0f,0xba,0xc0,0", "0x0f,0xba,0xd8,0", "0x0f,0xc7,0xc0", "0x0f,0xff,0xc0", "0x0f,0xb9,0xc0", "0x0f,0x00,0xf0", "0x0f,0x00,0xf8", "0x0f,0x01,0xe8", "0x0f,0x01,0xf8", "0x0f,0x24,0xc0", "0x0f,0x26,0xc0", "0x0f,0x20,0xe8", "0x0f,0x22,0xf0", "0x8e,0xc8", "0x8c,0xf0", "0x62,0xc0", "0xc4,0xc0", "0xc5,0xc0", "0x0f,0xb2,0xc0", "0x0f,0xb4,0xc0", "0x8d,0xc0", "0xd9,0xd1", "0xdb,0xe6"
        FAULTS "\code", .byte \code
        .endr
        TEST "0x8f,0xc8"
        pushl %eax
        GO
        .byte 0x8f, 0xc8
        END

# --- x87 exceptions, CR0.NE set ---
        TEST "#MF: at the next x87 instruction"
        GO
        PENDING
        movl $88f, test_start
88:     fld1
        END
        TEST "#MF: at fwait"
        GO
        PENDING
        movl $88f, test_start
88:     fwait
        END
        TEST "#MF: not at fnstsw, fnstcw and fninit"
        GO
        PENDING
        fnstsw %ax
        movzwl %ax, %eax
        NOTE %eax
        fnstcw scratch
        fninit
        fwait
        END
        TEST "#MF: before a page fault of the operand's"
        GO
        PENDING
        movl $88f, test_start
88:     flds 0xfffffff0
        END
        TEST "#NM comes before #MF"
        GO
        PENDING
        SET_CR0 8
        movl $88f, test_start
88:     fld1
        END
        TEST "#MF: at CPL 3"
        PENDING
        USER
        fld1
        USER_END
        TEST "no #MF where the exception is masked again"
        GO
        PENDING
        fninit
        movl $0x37f, scratch
        fldcw scratch
        fld1
        fldz
        fdivrp %st, %st(1)
        fwait
        fnstsw %ax
        movzwl %ax, %eax
        NOTE %eax
        fninit
        END
        TEST "#MF: unmasked by fldcw, at the next"
        GO
        PENDING
        fninit
        movl $0x37f, scratch
        fldcw scratch
        fld1
        fldz
        fdivrp %st, %st(1)
        movl $0x37b, scratch
        fldcw scratch
        movl $88f, test_start
88:     fwait
        END
        ret
