# R14: an NMI between STI and HLT ends the shadow, and the pending wake-up comes before the HLT.

        .include "race.inc"
        RACE "r14-nmi-in-shadow"
        .include "wakeup.inc"

        GATE VECTOR_NMI, nmi
LABEL nmi
        incl nmis
LABEL nmi_iret
        iretl

        GATE VECTOR_IRQ0, tick
LABEL tick
        pushl %eax
        EOI
        .if RIGHT
        # Whoever was about to sleep has been woken: on behind the HLT.
        cmpl $idle_hlt, 4(%esp)
        jne 1f
        incl 4(%esp)
1:
        .endif
        popl %eax
        iretl

        .data
VARIABLE nmis
        .long 0
