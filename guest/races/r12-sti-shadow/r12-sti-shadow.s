# R12, the control: an interrupt that comes one instruction after the STI is no fault, whoever expected
# it at once. In the one build the state is read in the shadow of STI, in the other behind it; both may
# see either value. What may not be is checked: an interrupt in the shadow, or one that comes later than
# the boundary behind it.

        .include "race.inc"
        RACE "r12-sti-shadow"

LABEL race
        cli
LABEL race_begin
        nop
        movl $0, seen
        sti
LABEL shadowed
        .if RIGHT
        nop
LABEL open
        movl ticks, %eax
        .else
        movl ticks, %eax                # reads 0 with the interrupt pending: legal
LABEL open
        nop
        .endif
LABEL behind
        movl %eax, seen
        cli
LABEL race_end
        cmpl $0, taken_at
        je good                         # none came
        cmpl $shadowed, taken_at
        je bad
        .if RIGHT
        cmpl $open, taken_at            # it came at the first boundary: it has been seen
        jne good
        cmpl $1, seen
        jne bad
        .endif
good:   OK
bad:    BROKEN "an interrupt in the shadow of STI, or a late one"

        GATE VECTOR_IRQ0, tick
LABEL tick
        pushl %eax
        EOI
        incl ticks
        movl 4(%esp), %eax
        movl %eax, taken_at
        popl %eax
        iretl

        .data
VARIABLE ticks
        .long 0
VARIABLE seen
        .long 0
VARIABLE taken_at
        .long 0
