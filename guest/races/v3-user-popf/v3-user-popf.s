# V3: CLI at CPL 3 traps and is honoured; the POPF that should undo it does not trap.

        .include "race.inc"
        RACE "v3-user-popf"
        .include "hypervisor.inc"
        .include "event.inc"

LABEL race
        ENTER_GUEST guest_main

LABEL guest_main
        PUSH_USER_FRAME user, user_stack_top
        iretl

LABEL user                              # a process that has called iopl(3)
        nop
LABEL race_begin
        nop
        pushfl
LABEL user_cli
        cli
LABEL user_critical
        nop
LABEL user_popf
        popfl
LABEL user_open
        nop
        nop
LABEL user_call
        int $VECTOR_SYSCALL

        GATE VECTOR_SYSCALL, system_call, TRAP_GATE+FROM_USER, GUEST_CS
LABEL system_call
LABEL race_end
        CHECK_NONE_WAITS

# What a privileged instruction does at CPL 3.
        GATE VECTOR_GP, hv_general_protection
LABEL hv_general_protection
        addl $4, %esp                   # the error code
        pushl %eax
        movl 4(%esp), %eax
        cmpb $0xfa, %ss:(%eax)
        jne 1f
        .if RIGHT == 0
        movb $1, %ss:vcpu_mask
        .endif
        incl 4(%esp)                    # interrupts are always open at CPL 3: it does nothing
        popl %eax
LABEL hv_resume
        iretl
1:      FAILED "#GP elsewhere"
