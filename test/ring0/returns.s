# RETF and IRET in their forms, and who may change which flag.
# Intel SDM vol. 2 "RET", "IRET", "POPF", "STI"; vol. 3A §5.8.6, §6.12.1.

        .include "ring0.inc"

        A = SPARE
        CODE1 = SPARE + 16
        DATA1 = SPARE + 24
        OPEN = SPARE + 32               # conforming code
        STACK16 = SPARE + 40
        CODE16 = SPARE + 48

# A frame for RETF to an outer level, EIP being 9: of the check, and GO.
        .macro OUTER_FRAME code, stack, data=user_stack_top
        GO
        movl $9f, test_start
        pushl $\stack
        pushl $\data
        pushl $\code
        pushl $9f
        .endm

# A frame for IRET, the same way.
        .macro IRET_FRAME code, stack, flags=2, data=user_stack_top
        GO
        movl $9f, test_start
        pushl $\stack
        pushl $\data
        pushl $\flags
        pushl $\code
        pushl $9f
        .endm

        .macro NOTE_SEGMENTS
        movl %ds, %eax
        NOTE %eax
        movl %es, %eax
        NOTE %eax
        movl %fs, %eax
        NOTE %eax
        movl %gs, %eax
        NOTE %eax
        .endm

test_main:
# --- at the same level ---
        .irp how, lret, iretl
        TEST "\how at the same level: ESP, CS"
        GO
        pushl %eax
        .ifc \how, iretl
        pushl $2
        .endif
        pushl $KERNEL_CS
        pushl $1f
        \how
1:      movl %esp, %eax
        subl test_stack, %eax
        NOTE %eax
        movl %cs, %eax
        NOTE %eax
        END
        .macro BAD_\how name, selector, segment:vararg
        TEST "\how to \name"
        \segment
        GO
        .ifc \how, iretl
        pushl $2
        .endif
        pushl $\selector
        pushl $test_main
        movl %esp, test_stack
        movl $1f, test_start
1:      \how
        END
        .endm
        BAD_\how "null", 0
        BAD_\how "null with an RPL", 3
        BAD_\how "data", KERNEL_DS
        BAD_\how "a TSS", TSS_MAIN
        BAD_\how "beyond the GDT", GDT_BYTES
        BAD_\how "absent code", A, SEGMENT A, $0, $0xfffff, $0xc01a
        BAD_\how "code of an outer level by RPL 0", USER_CS-3
        BAD_\how "code of an inner level by RPL 3", KERNEL_CS+3
        BAD_\how "conforming code of an outer level by RPL 0", A, SEGMENT A, $0, $0xfffff, $0xc0fe
        TEST "CPL 3, \how to RPL 0"
        USER
        pushl $2
        pushl $KERNEL_CS
        pushl $test_main
        \how
        USER_END
        .endr
        TEST "lret 8 at the same level: ESP"
        GO
        pushl $1
        pushl $2
        pushl $KERNEL_CS
        pushl $1f
        lret $8
1:      movl %esp, %eax
        subl test_stack, %eax
        NOTE %eax
        END
        TEST "lret takes the low half of CS"
        GO
        pushl $0x12340000 + KERNEL_CS
        pushl $1f
        lret
1:      END
        TEST "lretw: EIP is 16 bits"
        movl $0x0feb, 0x7000            # a jump to the int3 at 7011h
        movb $0xcc, 0x7011
        GO
        movl $0x7000, test_start
        pushw $KERNEL_CS
        pushw $0x7000
        lretw
        END
        TEST "iretw: EIP and FLAGS are 16 bits, AC stays"
        movb $0xcc, 0x7011
        GO
        movl $0x7000, test_start
        pushl $0x40002
        popfl
        pushw $0xcd7
        pushw $KERNEL_CS
        pushw $0x7011
        iretw
        END

# --- to an outer level ---
        .irp how, lret, iretl
        .macro OUT_\how name, code, stack, segment:vararg
        TEST "\how outward: \name"
        \segment
        .ifc \how, lret
        OUTER_FRAME \code, \stack
        .else
        IRET_FRAME \code, \stack
        .endif
        movl %esp, test_stack
        \how
9:      movl %cs, %eax
        NOTE %eax
        movl %ss, %eax
        NOTE %eax
        movl %esp, %eax
        subl $user_stack_top, %eax
        NOTE %eax
        int $0x30
89:
        .endm
        OUT_\how "CS, SS, ESP at CPL 3", USER_CS, USER_DS
        OUT_\how "SS null", USER_CS, 0
        OUT_\how "SS null by RPL 3", USER_CS, 3
        OUT_\how "SS by RPL 0", USER_CS, USER_DS-3
        OUT_\how "SS of DPL 0", USER_CS, KERNEL_DS+3
        OUT_\how "SS read-only", USER_CS, A+3, SEGMENT A, $0, $0xfffff, $0xc0f0
        OUT_\how "SS is code", USER_CS, USER_CS
        OUT_\how "SS absent", USER_CS, A+3, SEGMENT A, $0, $0xfffff, $0xc072
        OUT_\how "SS beyond the GDT", USER_CS, GDT_BYTES+3
        OUT_\how "CS absent", A+3, USER_DS, SEGMENT A, $0, $0xfffff, $0xc07a
        OUT_\how "CS conforming, of DPL 0", OPEN+3, USER_DS, SEGMENT OPEN, $0, $0xfffff, $0xc09e
        OUT_\how "CS conforming, of DPL 3", OPEN+3, USER_DS, SEGMENT OPEN, $0, $0xfffff, $0xc0fe
        TEST "\how outward: to CPL 1"
        SEGMENT CODE1, $0, $0xfffff, $0xc0ba
        SEGMENT DATA1, $0, $0xfffff, $0xc0b2
        .ifc \how, lret
        OUTER_FRAME CODE1+1, DATA1+1
        .else
        IRET_FRAME CODE1+1, DATA1+1
        .endif
        \how
9:      movl %cs, %eax
        NOTE %eax
        movl %ss, %eax
        NOTE %eax
        hlt
89:
        TEST "\how outward drops inner data segments, and keeps conforming code: ds es fs gs"
        SEGMENT OPEN, $0, $0xfffff, $0xc09e
        .ifc \how, lret
        OUTER_FRAME USER_CS, USER_DS
        .else
        IRET_FRAME USER_CS, USER_DS
        .endif
        movl $KERNEL_DS, %eax
        movl %eax, %es
        movl $KERNEL_CS, %eax
        movl %eax, %fs
        movl $OPEN, %eax
        movl %eax, %gs
        \how
9:      NOTE_SEGMENTS
        USER_END
        TEST "\how outward onto a 16-bit stack loads SP alone"
        SEGMENT STACK16, $user_stack_top-0x10000, $0xffff, $0x00f2
        .ifc \how, lret
        OUTER_FRAME USER_CS, STACK16+3, 0x1234ff00
        .else
        IRET_FRAME USER_CS, STACK16+3, 2, 0x1234ff00
        .endif
        \how
9:      movl %esp, %eax
        movl $USER_DS, %ebx
        movl %ebx, %ss
        movl $user_stack_top, %esp
        movl test_stack, %ebx
        xorl %eax, %ebx
        shrl $16, %ebx
        movzwl %ax, %eax
        NOTE %ebx
        NOTE %eax
        USER_END
        .endr
        TEST "lret 8 outward: ESP at CPL 3"
        GO
        pushl $USER_DS
        pushl $user_stack_top - 16
        pushl $1
        pushl $2
        pushl $USER_CS
        pushl $9f
        lret $8
9:      movl %esp, %eax
        subl $user_stack_top, %eax
        NOTE %eax
        USER_END

# --- flags ---
        TEST "iretl at CPL 0 loads all flags but VM"
        GO
        pushl $0x243ed7
        pushl $KERNEL_CS
        pushl $1f
        iretl
1:      pushfl
        popl %eax
        NOTE %eax
        pushl $2
        popfl
        END
        TEST "popfl at CPL 0"
        GO
        pushl $0x25feff
        popfl
        pushfl
        popl %eax
        NOTE %eax
        pushl $2
        popfl
        END
        TEST "popfw at CPL 0 leaves the upper half"
        GO
        pushl $0x40002
        popfl
        pushw $0x0cd7
        popfw
        pushfl
        popl %eax
        NOTE %eax
        pushl $2
        popfl
        END
        TEST "CPL 3, IOPL 0: popfl leaves IF and IOPL"
        USER
        pushl $0x3ed7
        popfl
        pushfl
        popl %eax
        NOTE %eax
        USER_END
        TEST "CPL 3, IOPL 3: popfl changes IF, and leaves IOPL"
        USER 0x3002
        pushl $0x0202
        popfl
        pushfl
        popl %eax
        NOTE %eax
        USER_END
        TEST "CPL 3, IOPL 0: iretl leaves IF and IOPL"
        USER 0x0202
        pushl $0x3002
        pushl $USER_CS
        pushl $1f
        iretl
1:      pushfl
        popl %eax
        NOTE %eax
        USER_END
        TEST "CPL 3, IOPL 0: sti"
        USER
        sti
        USER_END
        TEST "CPL 3, IOPL 0: cli"
        USER
        cli
        USER_END
        TEST "CPL 3, IOPL 2: cli"
        USER 0x2202
        cli
        USER_END
        TEST "CPL 3, IOPL 3: sti and cli"
        USER 0x3002
        sti
        pushfl
        popl %eax
        cli
        pushfl
        popl %ebx
        NOTE %eax
        NOTE %ebx
        USER_END
        TEST "pushfl stores VM and RF as 0"
        GO
        pushl $0x10002
        pushl $KERNEL_CS
        pushl $1f
        iretl
1:      pushfl
        popl %eax
        NOTE %eax
        END
        TEST "CPL 3: pushfl after IRET with all flags of CPL 3"
        USER 0x00240cd7
        pushfl
        popl %eax
        NOTE %eax
        pushl $2
        popfl
        USER_END
        ret
