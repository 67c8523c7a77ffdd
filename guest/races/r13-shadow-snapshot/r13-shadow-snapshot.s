# R13: a processor's context is saved and loaded without its interrupt shadow.

        .include "race.inc"
        RACE "r13-shadow-snapshot"
        .include "wakeup.inc"

# The debugger's stop: whoever ran is saved whole, the machine is inspected, and it goes on.
        GATE VECTOR_DB, stop
LABEL stop
        movl %eax, context_eax
        popl context_eip
        popl context_cs
        popl context_eflags
        movl %esp, context_esp
        .if RIGHT
        # The shadow: interrupts are open, and STI has just opened them.
        movl $0, context_shadow
        movl context_eip, %eax
        cmpb $0xfb, -1(%eax)
        jne inspect
        movl $1, context_shadow
        .endif
LABEL inspect
        nop
LABEL resume
        movl context_esp, %esp
        pushl context_eflags
        pushl context_cs
        pushl context_eip
        .if RIGHT
        cmpl $0, context_shadow
        je 1f
        # STI again, with interrupts closed, casts it again.
        decl (%esp)
        andl $~EFLAGS_IF, 8(%esp)
1:
        .endif
        movl context_eax, %eax
LABEL resume_iret
        iretl

        GATE VECTOR_IRQ0, tick
LABEL tick
        pushl %eax
        EOI
        popl %eax
        iretl

        .data
VARIABLE context_eax
        .long 0
VARIABLE context_eip
        .long 0
VARIABLE context_cs
        .long 0
VARIABLE context_eflags
        .long 0
VARIABLE context_esp
        .long 0
VARIABLE context_shadow
        .long 0
