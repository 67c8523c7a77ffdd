# An NMI inside the handler of an NMI: the IRET of a breakpoint in the handler lets the next one in.

        .include "race.inc"
        RACE "nested-nmi"

        KEPT = 0x5eed5eed

LABEL race
        movl $KEPT, %eax
LABEL race_begin
        movl $3, %ecx
1:      nop
        loop 1b
LABEL race_end
        cmpl $KEPT, %eax
        jne 2f
        OK
2:      BROKEN "an NMI came back with another EAX"

        GATE VECTOR_NMI, nmi
LABEL nmi
        .if RIGHT
        pushl %eax
        .else
        movl %eax, nmi_eax              # one place for all
        .endif
        movl nmis, %eax
        incl %eax
        movl %eax, nmis
        int3                            # a tracepoint
LABEL nmi_restore
        .if RIGHT
        popl %eax
        .else
        movl nmi_eax, %eax
        .endif
LABEL nmi_iret
        iretl

        GATE VECTOR_BP, breakpoint
LABEL breakpoint
        incl breakpoints
LABEL breakpoint_iret
        iretl

        .data
VARIABLE nmi_eax
        .long 0
VARIABLE nmis
        .long 0
VARIABLE breakpoints
        .long 0
