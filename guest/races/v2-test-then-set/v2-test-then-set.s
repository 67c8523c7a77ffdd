# V2: a return to the kernel looks for what waits, and opens events afterwards.

        .include "race.inc"
        RACE "v2-test-then-set"
        .include "hypervisor.inc"
        .include "event.inc"

        VECTOR_SERVICE = 0x81

LABEL race
        ENTER_GUEST guest_main

LABEL guest_main
        nop
LABEL race_begin
        nop
        int $VECTOR_SERVICE
LABEL back
        nop
LABEL race_end
        CHECK_NONE_WAITS

# A trap of the kernel's own, served with events masked.
        GATE VECTOR_SERVICE, service, TRAP_GATE+FROM_USER, GUEST_CS
LABEL service
        movb $1, vcpu_mask
LABEL serving
        nop
        .if RIGHT
LABEL restart
        movb $0, vcpu_mask
LABEL opened
        cmpb $0, vcpu_pending
LABEL tested
        je leave
        movb $1, vcpu_mask
        jmp guest_event
        .else
LABEL restart
        cmpb $0, vcpu_pending
LABEL tested
        jne guest_event                 # in the place of this frame
LABEL opening
        movb $0, vcpu_mask
        .endif
LABEL leave
        iretl
