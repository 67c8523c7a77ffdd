# Gates in the IDT, and the stack that an interrupt to an inner level finds.
# Intel SDM vol. 3A §6.11, §6.12; vol. 2 "INT n".

        .include "ring0.inc"

        A = SPARE
        B = SPARE + 8
        CODE1 = SPARE + 16              # flat, of CPL 1
        DATA1 = SPARE + 24
        OPEN = SPARE + 32               # conforming code of DPL 0
        CODE16 = SPARE + 48
        STACK0 = SPARE + 56
        LOCAL = 0x0c

# An interrupt of a check's own, number 31h.
        .macro INT31 target, offset, type
        VECTOR 0x31, \target, \offset, \type
        .endm

test_main:
# --- interrupt and trap gates at CPL 0 ---
        TEST "interrupt gate: IF of the handler, EFLAGS, CS and EIP pushed, ESP"
        INT31 KERNEL_CS, same_level, 0x8e
        GO
        sti
        int $0x31
        cli
        END
        TEST "trap gate: the same"
        INT31 KERNEL_CS, same_level, 0x8f
        GO
        sti
        int $0x31
        cli
        END
        TEST "16-bit interrupt gate: FLAGS:CS pushed, ESP, EIP where the handler begins"
        SEGMENT CODE16, $same_level16, $0xfffff, $0xc09a
        INT31 CODE16, 0, 0x86
        GO
        pushl $0x12345678
        int $0x31
        popl %eax
        END
        TEST "the upper half of a 16-bit interrupt gate's offset is ignored"
        SEGMENT CODE16, $finish16, $0xfffff, $0xc09a
        VECTOR 0x31, CODE16, 0x00100000, 0x86
        GO
        int $0x31
        END
        .irp type, 0x86, 0x87
        TEST "16-bit gate of type \type: FLAGS in the handler"
        SEGMENT CODE16, $flags16, $0xfffff, $0xc09a
        INT31 CODE16, 0, \type
        GO
        sti
        int $0x31
        END
        .endr
        TEST "TF, NT and RF are clear in a handler"
        INT31 KERNEL_CS, handler_flags, 0x8f
        GO
        pushl $0x14002
        popfl
        int $0x31
        pushl $2
        popfl
        END
        TEST "conforming code at CPL 0"
        SEGMENT OPEN, $0, $0xfffff, $0xc09e
        INT31 OPEN, same_level, 0x8f
        GO
        int $0x31
        END
        TEST "the selector's RPL is of no account"
        INT31 KERNEL_CS+3, same_level, 0x8f
        GO
        int $0x31
        END

# --- what is wrong with the gate ---
        .irp type, 0x80, 0x81, 0x82, 0x83, 0x84, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8d, 0x92, 0x9a, 0x9e
        TEST "type \type in the IDT"
        INT31 KERNEL_CS, same_level, \type
        GO
        int $0x31
        END
        .endr
        TEST "absent gate"
        INT31 KERNEL_CS, same_level, 0x0e
        GO
        int $0x31
        END
        TEST "absent gate of a wrong type"
        INT31 KERNEL_CS, same_level, 0x0c
        GO
        int $0x31
        END
        TEST "CPL 3, gate of DPL 0"
        INT31 KERNEL_CS, same_level, 0x8e
        USER
        int $0x31
        USER_END
        TEST "CPL 3, gate of DPL 0, absent"
        INT31 KERNEL_CS, same_level, 0x0e
        USER
        int $0x31
        USER_END
        TEST "CPL 3, gate of DPL 0, of a wrong type"
        INT31 KERNEL_CS, same_level, 0x8c
        USER
        int $0x31
        USER_END
        TEST "CPL 3, int3 through a gate of DPL 0"
        USER
        int3
        USER_END
        TEST "CPL 3, into through a gate of DPL 0"
        USER
        movb $0x7f, %al
        incb %al
        into
        USER_END
        TEST "CPL 3, int1 through a gate of DPL 0"
        USER
        .byte 0xf1
        USER_END
        TEST "exception through an absent gate: EXT is set"
        VECTOR 6, KERNEL_CS, same_level, 0x0e
        GO
        ud2
        END
        TEST "exception through a gate of a wrong type"
        VECTOR 6, KERNEL_CS, same_level, 0x8c
        GO
        ud2
        END
        TEST "the gate's selector: null"
        INT31 0, same_level, 0x8e
        GO
        int $0x31
        END
        TEST "the gate's selector: null, after an exception"
        VECTOR 6, 3, same_level, 0x8e
        GO
        ud2
        END
        TEST "the gate's selector: data"
        INT31 KERNEL_DS, same_level, 0x8e
        GO
        int $0x31
        END
        TEST "the gate's selector: data, after an exception"
        VECTOR 6, KERNEL_DS, same_level, 0x8e
        GO
        ud2
        END
        TEST "the gate's selector: a TSS"
        INT31 TSS_MAIN, same_level, 0x8e
        GO
        int $0x31
        END
        TEST "the gate's selector: beyond the GDT"
        INT31 GDT_BYTES, same_level, 0x8e
        GO
        int $0x31
        END
        TEST "the gate's selector: absent code"
        SEGMENT A, $0, $0xfffff, $0xc01a
        INT31 A, same_level, 0x8e
        GO
        int $0x31
        END
        TEST "the gate's selector: code of an outer level"
        INT31 USER_CS, same_level, 0x8e
        GO
        int $0x31
        END
        TEST "the gate's selector: conforming code of an outer level"
        SEGMENT A, $0, $0xfffff, $0xc0fe
        INT31 A, same_level, 0x8e
        GO
        int $0x31
        END
        TEST "the gate's selector: code in the LDT"
        movl $LDT_MAIN, %eax
        lldt %ax
        SEGMENT LOCAL, $0, $0xfffff, $0xc09a
        INT31 LOCAL, same_level, 0x8e
        GO
        int $0x31
        END

# --- from CPL 3 ---
        TEST "CPL 3 to 0: SS, ESP, EFLAGS, CS pushed, ESP and SS of the handler"
        INT31 KERNEL_CS, from_user, 0xee
        USER
        int $0x31
        USER_END
        TEST "CPL 3 to 0 through a 16-bit gate: SS:SP, FLAGS:CS pushed, ESP"
        SEGMENT CODE16, $from_user16, $0xfffff, $0xc09a
        INT31 CODE16, 0, 0xe6
        USER
        int $0x31
        USER_END
        TEST "CPL 3 to conforming code: CS and SS of the handler"
        SEGMENT OPEN, $0, $0xfffff, $0xc09e
        INT31 OPEN, stay_user, 0xee
        USER
        int $0x31
        USER_END
        TEST "CPL 3 to 1: CS, SS and ESP of the handler"
        LEVEL1
        INT31 CODE1, at_level1, 0xee
        USER
        int $0x31
        USER_END
        TEST "CPL 3 to 1 keeps ds, es, fs and gs"
        LEVEL1
        INT31 CODE1, data_segments, 0xee
        movl $USER_DS, %eax
        movl %eax, %fs
        USER
        int $0x31
        USER_END

# --- the inner stack, for CPL 1 so that the handlers at CPL 0 are sound ---
        .macro BAD_STACK name, selector, segment:vararg
        TEST "inner stack: \name"
        LEVEL1
        \segment
        movl $\selector, tss + 16
        INT31 CODE1, at_level1, 0xee
        USER
        int $0x31
        USER_END
        .endm
        BAD_STACK "null", 0
        BAD_STACK "null with an RPL", 1
        BAD_STACK "beyond the GDT", GDT_BYTES+1
        BAD_STACK "RPL 0", DATA1
        BAD_STACK "RPL 3", DATA1+3
        BAD_STACK "DPL 0", KERNEL_DS+1
        BAD_STACK "DPL 3", USER_DS-2
        BAD_STACK "code", CODE1+1
        BAD_STACK "read-only", A+1, SEGMENT A, $0, $0xfffff, $0xc0b0
        BAD_STACK "absent", A+1, SEGMENT A, $0, $0xfffff, $0xc032
        BAD_STACK "absent and read-only", A+1, SEGMENT A, $0, $0xfffff, $0xc030
        BAD_STACK "in an LDT that there isn't", 5
        TEST "inner stack: beyond the TSS"
        LEVEL1
        SEGMENT A, $tss, $0x10, $0x89
        movl $A, %eax
        ltr %ax
        INT31 CODE1, at_level1, 0xee
        USER
        int $0x31
        USER_END
        TEST "inner stack: no room by its limit"
        LEVEL1
        SEGMENT A, $0, $0xffff, $0x40b2
        movl $A + 1, tss + 16
        INT31 CODE1, at_level1, 0xee
        USER
        int $0x31
        USER_END
        TEST "inner stack: of a 16-bit TSS, SS and ESP of the handler"
        LEVEL1
        SEGMENT A, $tss, $0x2b, $0x81
        SEGMENT B, $middle_stack_top-0x1000, $0xffff, $0x40b2
        SEGMENT STACK0, $inner_stack_top-0x1000, $0xffff, $0x4092
        movl $STACK0 << 16 | 0x1000, tss + 2
        movl $(B + 1) << 16 | 0x1000, tss + 6
        movl $A, %eax
        ltr %ax
        INT31 CODE1, at_level1_raw, 0xee
        USER
        int $0x31
        USER_END
        TEST "inner stack: 16 bits wide, ESP of the handler"
        LEVEL1
        SEGMENT A, $middle_stack_top-0x1000, $0xffff, $0x00b2
        movl $0x12341000, tss + 12
        movl $A + 1, tss + 16
        INT31 CODE1, at_level1_16, 0xee
        USER
        int $0x31
        USER_END
        TEST "inner stack: its accessed bit is set"
        LEVEL1
        INT31 CODE1, at_level1, 0xee
        NOTE gdt+DATA1+4
        USER
        int $0x31
        NOTE gdt+DATA1+4
        USER_END
        ret

# --- handlers; DS is flat in all of them ---

same_level:
        pushfl
        popl %eax
        NOTE %eax
        movl $3, %ebx
        call note_stack
        iretl

handler_flags:
        pushfl
        popl %eax
        NOTE %eax
        movl 8(%esp), %eax
        NOTE %eax
        iretl

# At offset 0 of CODE16, which is 32 bits wide with a base; near calls are relative.
same_level16:
        NOTE 2(%esp)
        movl %esp, %eax
        subl test_stack, %eax
        NOTE %eax
        call 1f
1:      popl %eax
        subl $1b-same_level16, %eax
        NOTE %eax
        ljmp $KERNEL_CS, $finish

from_user:
        movl 16(%esp), %eax
        NOTE %eax
        movl 12(%esp), %eax
        subl $user_stack_top, %eax
        NOTE %eax
        movl 8(%esp), %eax
        NOTE %eax
        movl 4(%esp), %eax
        NOTE %eax
        movl %esp, %eax
        subl $inner_stack_top, %eax
        NOTE %eax
        movl %ss, %eax
        NOTE %eax
        iretl

from_user16:
        movl 6(%esp), %eax
        subl $user_stack_top, %eax      # SP alone
        movw 8(%esp), %ax
        movzwl %ax, %eax
        NOTE %eax
        movl 2(%esp), %eax
        NOTE %eax
        movl %esp, %eax
        subl $inner_stack_top, %eax
        NOTE %eax
        addl $10, %esp
        int $0x30

stay_user:
        movl %cs, %eax
        NOTE %eax
        movl %ss, %eax
        NOTE %eax
        iretl

at_level1:
        movl %cs, %eax
        NOTE %eax
        movl %ss, %eax
        NOTE %eax
        movl %esp, %eax
        subl $middle_stack_top, %eax
        NOTE %eax
        iretl

at_level1_raw:
        movl %ss, %eax
        NOTE %eax
        movl %esp, %eax
        NOTE %eax
        iretl

at_level1_16:
        movl %esp, %eax
        movl $DATA1 + 1, %ebx
        movl %ebx, %ss
        movl $middle_stack_top - 256, %esp
        NOTE %eax
        int $0x30

data_segments:
        movl %ds, %eax
        NOTE %eax
        movl %es, %eax
        NOTE %eax
        movl %fs, %eax
        NOTE %eax
        movl %gs, %eax
        NOTE %eax
        iretl

finish16:
        ljmp $KERNEL_CS, $finish

flags16:
        pushfl
        popl %eax
        ljmp $KERNEL_CS, $1f
1:      cli
        NOTE %eax
        jmp finish
