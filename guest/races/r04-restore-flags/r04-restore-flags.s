# R4: restoring the interrupt flag asks for the waiting event exactly when none waits.

        .include "race.inc"
        RACE "r04-restore-flags"
        .include "hypervisor.inc"
        .include "event.inc"

LABEL race
        ENTER_GUEST guest_main

LABEL guest_main
        nop
LABEL race_begin
        nop
        movb vcpu_mask, %bl             # local_irq_save
        movb $1, vcpu_mask
LABEL masked
        nop
        nop
LABEL restore
        movb %bl, vcpu_mask             # local_irq_restore
LABEL restored
        cmpw $PENDING_UNMASKED, vcpu_pending
LABEL compared
        .if RIGHT
        jne 1f
        .else
        je 1f
        .endif
        int $HV_DELIVER
1:
LABEL race_end
        CHECK_NONE_WAITS
