# Gates in the IDT, call gates, stack switches, and transfers between code segments.
# Intel SDM vol. 3A §5.8, §6.11, §6.12; vol. 2 "CALL", "JMP", "INT n".

        .include "ring0.inc"

        A = SPARE
        B = SPARE + 8
        CODE1 = SPARE + 16              # flat, of CPL 1
        DATA1 = SPARE + 24
        OPEN = SPARE + 32               # conforming code of DPL 0
        GATE_A = SPARE + 40
        CODE16 = SPARE + 48
        STACK0 = SPARE + 56
        LOCAL = 0x0c

# An interrupt of a check's own, number 31h.
        .macro INT31 target, offset, type
        VECTOR 0x31, \target, \offset, \type
        .endm

# Flat segments of CPL 1 and a stack for it in the TSS.
        .macro LEVEL1
        SEGMENT CODE1, $0, $0xfffff, $0xc0ba
        SEGMENT DATA1, $0, $0xfffff, $0xc0b2
        movl $middle_stack_top, tss + 12
        movl $DATA1 + 1, tss + 16
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

# --- call gates ---
        TEST "call gate at the same level: CS and EIP pushed, ESP"
        GATE GATE_A, KERNEL_CS, called, 0x8c, 3
        GO
        lcall $GATE_A, $0x12345678
        END
        TEST "CPL 3, call gate: EIP:CS, ESP:SS pushed, ESP and CS of the procedure"
        GATE GATE_A, KERNEL_CS, called_from_user, 0xec
        USER
        lcall $GATE_A, $0
        USER_END
        TEST "CPL 3, call gate with three parameters: they, and ESP behind a RETF 12"
        GATE GATE_A, KERNEL_CS, called_with_three, 0xec, 3
        USER
        pushl $0x11
        pushl $0x22
        pushl $0x33
        lcall $GATE_A, $0
        movl %esp, %eax
        subl $user_stack_top, %eax
        NOTE %eax
        USER_END
        TEST "CPL 3, call gate: the count's upper bits are of no account"
        GATE GATE_A, KERNEL_CS, called_with_three, 0xec, 0xe3
        USER
        pushl $0x11
        pushl $0x22
        pushl $0x33
        lcall $GATE_A, $0
        USER_END
        TEST "CPL 3, 16-bit call gate with two parameters: the frame, and ESP behind a RETF 4"
        SEGMENT CODE16, $called16, $0xfffff, $0xc09a
        GATE GATE_A, CODE16, 0, 0xe4, 2
        USER
        pushw $0x1111
        pushw $0x2222
        lcall $GATE_A, $0
        movl %esp, %eax
        subl $user_stack_top, %eax
        NOTE %eax
        USER_END
        TEST "CPL 3, call gate to conforming code: CS and SS there"
        SEGMENT OPEN, $0, $0xfffff, $0xc09e
        GATE GATE_A, OPEN, called_open, 0xec
        USER
        lcall $GATE_A, $0
        USER_END
        TEST "CPL 3, jump through a call gate to conforming code: CS there"
        SEGMENT OPEN, $0, $0xfffff, $0xc09e
        GATE GATE_A, OPEN, jumped_open, 0xec
        USER
        ljmp $GATE_A, $0
89:
        TEST "CPL 3, jump through a call gate to an inner level"
        GATE GATE_A, KERNEL_CS, called, 0xec
        USER
        ljmp $GATE_A, $0
        USER_END
        TEST "jump through a call gate at the same level"
        GATE GATE_A, KERNEL_CS, jumped, 0x8c
        GO
        ljmp $GATE_A, $0
89:
        TEST "CPL 3, call gate of DPL 0"
        GATE GATE_A, KERNEL_CS, called, 0x8c
        USER
        lcall $GATE_A, $0
        USER_END
        TEST "call gate of DPL 0 by a selector of RPL 3"
        GATE GATE_A, KERNEL_CS, called, 0x8c
        GO
        lcall $GATE_A+3, $0
        END
        TEST "call gate: absent"
        GATE GATE_A, KERNEL_CS, called, 0x0c
        GO
        lcall $GATE_A, $0
        END
        TEST "CPL 3, call gate: absent, of DPL 0"
        GATE GATE_A, KERNEL_CS, called, 0x0c
        USER
        lcall $GATE_A, $0
        USER_END
        .macro BAD_TARGET name, selector, segment:vararg
        TEST "call gate to \name"
        \segment
        GATE GATE_A, \selector, called, 0x8c
        GO
        lcall $GATE_A, $0
        END
        .endm
        BAD_TARGET "null", 0
        BAD_TARGET "data", KERNEL_DS
        BAD_TARGET "a TSS", TSS_MAIN
        BAD_TARGET "beyond the GDT", GDT_BYTES
        BAD_TARGET "an outer level", USER_CS
        BAD_TARGET "conforming code of an outer level", A, SEGMENT A, $0, $0xfffff, $0xc0fe
        BAD_TARGET "absent code", A, SEGMENT A, $0, $0xfffff, $0xc01a
        BAD_TARGET "another gate", GATE_A
        TEST "call gate beyond the limit of its code"
        SEGMENT A, $0, $0xff, $0x409a
        GATE GATE_A, A, 0x100, 0x8c
        GO
        lcall $GATE_A, $0
        END
        TEST "CPL 3, call gate: the inner stack is null"
        LEVEL1
        movl $0, tss + 16
        GATE GATE_A, CODE1, called, 0xec
        USER
        lcall $GATE_A, $0
        USER_END
        TEST "CPL 3, call gate: the inner stack is absent"
        LEVEL1
        SEGMENT A, $0, $0xfffff, $0xc032
        movl $A + 1, tss + 16
        GATE GATE_A, CODE1, called, 0xec
        USER
        lcall $GATE_A, $0
        USER_END
        TEST "CPL 3, call gate: no room on the inner stack"
        LEVEL1
        SEGMENT A, $0, $0xffff, $0x40b2
        movl $A + 1, tss + 16
        GATE GATE_A, CODE1, called, 0xec
        USER
        lcall $GATE_A, $0
        USER_END
        TEST "call gate in the LDT"
        movl $LDT_MAIN, %eax
        lldt %ax
        GATE LOCAL, KERNEL_CS, called, 0x8c
        GO
        lcall $LOCAL, $0
        END
        TEST "a gate of the IDT's kind in the GDT"
        GATE GATE_A, KERNEL_CS, called, 0x8e
        GO
        lcall $GATE_A, $0
        END

# --- far jumps and calls to code ---
        .macro DIRECT name, selector, segment:vararg
        TEST "far jump: \name"
        \segment
        GO
        ljmp $\selector, $88f
88:     movl %cs, %eax
        NOTE %eax
        END
        .endm
        DIRECT "code", A, SEGMENT A, $0, $0xfffff, $0xc09a
        DIRECT "code by RPL 3", A+3, SEGMENT A, $0, $0xfffff, $0xc09a
        DIRECT "null", 0
        DIRECT "null with an RPL", 3
        DIRECT "data", KERNEL_DS
        DIRECT "absent", A, SEGMENT A, $0, $0xfffff, $0xc01a
        DIRECT "code of an outer level", USER_CS-3
        DIRECT "conforming code of an outer level", A, SEGMENT A, $0, $0xfffff, $0xc0fe
        DIRECT "conforming code by RPL 3", A+3, SEGMENT A, $0, $0xfffff, $0xc09e
        DIRECT "an LDT", LDT_MAIN
        DIRECT "type 0", A
        DIRECT "beyond the GDT", GDT_BYTES
        DIRECT "execute-only code", A, SEGMENT A, $0, $0xfffff, $0xc098
        TEST "far call: CS and EIP pushed, ESP"
        GO
        lcall $KERNEL_CS, $called
        END
        TEST "far call: absent"
        SEGMENT A, $0, $0xfffff, $0xc01a
        GO
        lcall $A, $called
        END
        TEST "far call through memory"
        movl $called, scratch
        movw $KERNEL_CS, scratch + 4
        GO
        lcall *scratch
        END
        TEST "far call through memory, 16 bits: CS pushed, ESP"
        SEGMENT CODE16, $called16_near, $0xfffff, $0xc09a
        movl $CODE16 << 16, scratch
        GO
        lcallw *scratch
        END
        TEST "far jump of a register"
        GO
        .byte 0xff, 0xe8
        END
        TEST "far call of a register"
        GO
        .byte 0xff, 0xd8
        END
        TEST "CPL 3, far jump to conforming code of DPL 0: CS"
        SEGMENT OPEN, $0, $0xfffff, $0xc09e
        USER
        ljmp $OPEN, $1f
1:      movl %cs, %eax
        NOTE %eax
        USER_END
        TEST "CPL 3, far jump to code of DPL 0"
        USER
        ljmp $KERNEL_CS, $1f
1:      USER_END
        TEST "CPL 3, far call to code of DPL 0"
        USER
        lcall $KERNEL_CS, $1f
1:      USER_END
        ret

# --- handlers; DS is flat in all of them ---

# EBX: how many dwords of the stack to note, then ESP relative to GO. An EIP of the check, EXXXXXXXh, is
# noted as its offset.
note_stack:
        leal 4(%esp), %eax
        xorl %ecx, %ecx
1:      cmpl %ecx, %ebx
        je 2f
        movl (%eax,%ecx,4), %edx
        subl $1, %ebx
        cmpl %edx, test_start           # an EIP as an offset
        ja 3f
        subl test_start, %edx
        cmpl $0x100, %edx
        jb 4f
        addl test_start, %edx
        jmp 3f
4:      orl $0xe0000000, %edx
3:      addl $1, %ebx
        NOTE %edx
        incl %ecx
        jmp 1b
2:      subl test_stack, %eax
        NOTE %eax
        ret

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

called: movl $2, %ebx
        call note_stack
        lret

called16_near:
        movl 2(%esp), %eax
        movzwl %ax, %eax
        NOTE %eax
        movl %esp, %eax
        subl test_stack, %eax
        NOTE %eax
        ljmp $KERNEL_CS, $finish

called_from_user:
        movl (%esp), %eax
        subl test_start, %eax
        NOTE %eax
        movl 4(%esp), %eax
        NOTE %eax
        movl 8(%esp), %eax
        subl $user_stack_top, %eax
        NOTE %eax
        movl 12(%esp), %eax
        NOTE %eax
        movl %esp, %eax
        subl $inner_stack_top, %eax
        NOTE %eax
        movl %cs, %eax
        NOTE %eax
        lret

called_with_three:
        NOTE 8(%esp)
        NOTE 12(%esp)
        NOTE 16(%esp)
        movl %esp, %eax
        subl $inner_stack_top, %eax
        NOTE %eax
        lret $12

# From 32-bit code: IP and SP lose their upper halves, so it cannot simply return.
called16:
        movl 2(%esp), %eax
        movzwl %ax, %eax
        NOTE %eax
        NOTE 4(%esp)
        movl 10(%esp), %eax
        movzwl %ax, %eax
        NOTE %eax
        movl %esp, %eax
        subl $inner_stack_top, %eax
        NOTE %eax
        int $0x30

called_open:
        movl %cs, %eax
        NOTE %eax
        movl %ss, %eax
        NOTE %eax
        lret

jumped_open:
        movl %cs, %eax
        NOTE %eax
        int $0x30

jumped:
finish: call passed
        jmp go_on
