# Which instruction an interrupt can be taken before, inside the kernel.

        .include "harness.inc"

test_main:
        CASE "sti; nop; cli"
        sti
        nop
        END_CASE

        CASE "sti; cli"
        sti
        cli
        nop
        END_CASE

        CASE "sti; hlt"
        sti
        hlt
        nop
        END_CASE

        CASE "sti; sti; nop"
        sti
        sti
        nop
        nop
        END_CASE

        CASE "sti; jmp"
        sti
        jmp 1f
        ud2
1:      nop
        nop
        END_CASE

        CASE "sti; ud2; nop"
        sti
        ud2
        nop
        END_CASE

        # The interrupted code has no other place where the interrupt could be taken.
        CASE "cli; call; sti; ret"
        call sti_ret
        cli
        END_CASE

        pushl $EFLAGS_IF | 2
        CASE "popf"
        popfl
        nop
        END_CASE

        pushl $2
        CASE "sti; popf clears IF"
        sti
        popfl
        nop
        END_CASE

        pushl $EFLAGS_IF | 2
        CASE "sti; popf sets IF"
        sti
        popfl
        nop
        END_CASE

        pushl $EFLAGS_IF | 2
        pushl $KERNEL_CS
        pushl $1f
        CASE "iret"
        iretl
1:      nop
        END_CASE

        pushl $2
        pushl $KERNEL_CS
        pushl $1f
        CASE "sti; iret clears IF"
        sti
        iretl
1:      nop
        END_CASE

        # A single-step trap comes after the instruction that follows the one that set TF. MOV SS and
        # POP SS put it off by one instruction more, STI does not.
        pushl $2
        pushl $EFLAGS_TF | 2
        CASE "TF; nop; popf"
        popfl
        nop
        popfl
        nop
        END_CASE

        movl %ss, %esi
        pushl $2
        pushl $EFLAGS_TF | 2
        CASE "TF; mov ss; nop; popf"
        popfl
        movl %esi, %ss
        nop
        popfl
        nop
        END_CASE

        pushl $2
        pushl %ss
        pushl $EFLAGS_TF | 2
        CASE "TF; pop ss; nop; popf"
        popfl
        popl %ss
        nop
        popfl
        nop
        END_CASE
        ret

sti_ret:
        sti
        ret
