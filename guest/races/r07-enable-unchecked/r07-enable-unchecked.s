# R7: enabling interrupts is a store, and nobody looks for what came before it.

        .include "race.inc"
        RACE "r07-enable-unchecked"
        .include "hypervisor.inc"
        .include "event.inc"

LABEL race
        ENTER_GUEST guest_main

LABEL guest_main
        nop
LABEL race_begin
        nop
        movb $1, vcpu_mask              # cli
LABEL masked
        nop
        nop
LABEL enable
        .if RIGHT
        ENABLE_EVENTS
        .else
        movb $0, vcpu_mask
        .endif
LABEL enabled
        nop
LABEL race_end
        CHECK_NONE_WAITS
