# Exceptions that instructions raise, the coprocessor's bits of CR0, and alignment checks.
# Intel SDM vol. 3A chapter 6.

        .include "ring0.inc"

        MP = 2
        EM = 4
        TS = 8
        AM = 0x40000
        AC = 0x40000

test_main:
# --- what instructions raise by themselves ---
        TEST "div by 0"
        xorl %ebx, %ebx
        GO
        divl %ebx
        END
        TEST "div: the quotient is too large"
        movl $1, %edx
        xorl %eax, %eax
        movl $1, %ebx
        GO
        divl %ebx
        END
        TEST "idiv: the quotient is too large by one"
        movl $0x80000000, %eax
        cltd
        movl $-1, %ebx
        GO
        idivl %ebx
        END
        TEST "idiv of 8 bits: -128 fits"
        movl $-128 * 3, %eax
        movb $3, %bl
        GO
        idivb %bl
        movzwl %ax, %eax
        NOTE %eax
        END
        FAULTS "aam 0", .byte 0xd4, 0x00
        FAULTS "int3", int3
        FAULTS "int 3 in two bytes", .byte 0xcd, 0x03
        TEST "into"
        GO
        movb $0x7f, %al
        incb %al
        into
        END
        TEST "into without OF"
        GO
        into
        END
        TEST "bound: below"
        movl $1, scratch
        movl $2, scratch + 4
        GO
        boundl %eax, scratch
        END
        FAULTS "ud2", ud2
        FAULTS "ud1", .byte 0x0f, 0xb9, 0xc0
        FAULTS "lock nop", .byte 0xf0, 0x90
        FAULTS "lock add to a register", .byte 0xf0, 0x01, 0xc0
        FAULTS "cmpxchg8b of a register", .byte 0x0f, 0xc7, 0xc8
        FAULTS "mov from CR1", .byte 0x0f, 0x20, 0xc8
        FAULTS "lea of a register", .byte 0x8d, 0xc0
        FAULTS "15 bytes", .byte 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90
        FAULTS "16 bytes", .byte 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90

# --- the coprocessor's bits of CR0 ---
        TEST "EM: an x87 instruction"
        SET_CR0 EM
        GO
        fnstcw scratch
        END
        TEST "TS: an x87 instruction"
        SET_CR0 TS
        GO
        fnstcw scratch
        END
        TEST "TS: wait"
        SET_CR0 TS
        GO
        fwait
        END
        TEST "TS and MP: wait"
        SET_CR0 TS|MP
        GO
        fwait
        END
        TEST "clts"
        SET_CR0 TS
        GO
        clts
        movl %cr0, %eax
        andl $TS, %eax
        NOTE %eax
        END
        TEST "lmsw sets TS, EM, MP and cannot clear PE"
        GO
        movl $14, %eax
        lmsw %ax
        movl %cr0, %ebx
        movl $0, %eax
        lmsw %ax
        movl %cr0, %ecx
        andl $15, %ebx
        andl $15, %ecx
        NOTE %ebx
        NOTE %ecx
        END
        USER_FAULTS "smsw", smsw %eax
        TEST "NW without CD"
        movl %cr0, %eax
        andl $~0x40000000, %eax
        orl $0x20000000, %eax
        GO
        movl %eax, %cr0
        END

# --- alignment checks: CR0.AM, EFLAGS.AC and CPL 3 ---
        .macro ALIGNED name, flags, code:vararg
        TEST "alignment: \name"
        SET_CR0 AM
        USER \flags
        \code
        USER_END
        .endm
        ALIGNED "2 bytes at an odd address", AC+2, movw scratch+1, %ax
        ALIGNED "4 bytes", AC+2, movl scratch+2, %eax
        ALIGNED "a write", AC+2, movl %eax, scratch+1
        ALIGNED "4 aligned bytes", AC+2, movl scratch+4, %eax
        ALIGNED "1 byte", AC+2, movb scratch+1, %al
        ALIGNED "without AC", 2, movl scratch+2, %eax
        ALIGNED "8 bytes of cmpxchg8b", AC+2, cmpxchg8b scratch+2
        ALIGNED "a far pointer", AC+2, lesl scratch+2, %eax
        TEST "alignment: push onto a misaligned stack"
        SET_CR0 AM
        USER AC+2
        movl $user_stack_top - 2, %esp
        pushl %eax
        USER_END
        TEST "alignment: without AM"
        USER AC+2
        movl scratch + 1, %eax
        USER_END
        TEST "alignment: at CPL 0"
        SET_CR0 AM
        GO
        pushl $AC + 2
        popfl
        movl scratch + 1, %eax
        pushl $2
        popfl
        END
        TEST "alignment: CPL 3, through the handler's own frame it is off"
        SET_CR0 AM
        movl $inner_stack_top - 2, tss + 4
        USER AC+2
        int $0x30
89:
        TEST "AC is kept in a handler"
        VECTOR 0x31, KERNEL_CS, note_flags, 0xee
        USER AC+2
        int $0x31
89:
        ret

note_flags:
        pushfl
        popl %eax
        NOTE %eax
        jmp finish
