# Call gates, and far jumps and calls between code segments.
# Intel SDM vol. 3A §5.8; vol. 2 "CALL", "JMP".

        .include "ring0.inc"

        A = SPARE
        CODE1 = SPARE + 16              # flat, of CPL 1
        DATA1 = SPARE + 24
        OPEN = SPARE + 32               # conforming code of DPL 0
        GATE_A = SPARE + 40
        CODE16 = SPARE + 48
        LOCAL = 0x0c

test_main:
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
        TEST "CPL 3, call gate with 31 parameters: the first, the last, ESP there"
        GATE GATE_A, KERNEL_CS, called_with_most, 0xec, 31
        USER
        movl $31, %ecx
1:      pushl %ecx
        loop 1b
        lcall $GATE_A, $0
        USER_END
        .irp short, 0, 1
        TEST "CPL 3, call gate, the inner stack has room for all but \short bytes"
        LEVEL1
        SEGMENT A, $middle_stack_top-0x1000, $0xff0, $0x40b6
        movl $0xff1 + 24 - \short, tss + 12
        movl $A + 1, tss + 16
        GATE GATE_A, CODE1, called_at_level1, 0xec, 2
        USER
        pushl $1
        pushl $2
        lcall $GATE_A, $0
        USER_END
        .endr
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
        TEST "the upper half of a 16-bit call gate's offset is ignored"
        SEGMENT CODE16, $finish16, $0xfffff, $0xc09a
        GATE GATE_A, CODE16, 0x00100000, 0x84
        GO
        lcall $GATE_A, $0
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

# --- procedures; DS is flat in all of them ---

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

jumped: jmp finish

finish16:
        ljmp $KERNEL_CS, $finish

called_with_most:
        NOTE 8(%esp)
        NOTE 128(%esp)
        movl %esp, %eax
        subl $inner_stack_top, %eax
        NOTE %eax
        lret $124

called_at_level1:
        movl $DATA1 + 1, %eax
        movl %esp, %ebx
        movl %eax, %ss
        movl $middle_stack_top, %esp
        NOTE %ebx
        int $0x30
