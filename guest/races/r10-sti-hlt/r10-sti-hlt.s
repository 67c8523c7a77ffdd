# R10: an idle loop whose STI and HLT are not neighbours. There is no second tick: who sleeps through the
# first sleeps for good.

        .include "race.inc"
        RACE "r10-sti-hlt"

LABEL race
        sti
        nop
LABEL race_begin
        nop
LABEL idle
        cli
        cmpl $0, need_resched
        jne awake
        sti
        .if RIGHT == 0
        nop                             # what a tracer has patched out
        .endif
LABEL idle_hlt
        hlt
LABEL race_end
        jmp idle
LABEL awake
        OK

        GATE VECTOR_IRQ0, tick
LABEL tick
        pushl %eax
        EOI
        movl $1, need_resched
        popl %eax
        iretl

        .data
VARIABLE need_resched
        .long 0
