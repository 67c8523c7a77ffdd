# R8: a trap that the processor delivers by itself pushes the hardware's IF, which is always set.

        .include "race.inc"
        RACE "r08-trap-frame-if"
        .include "hypervisor.inc"

LABEL race
        ENTER_GUEST guest_main

LABEL guest_main
        nop
LABEL race_begin
        nop
        movb $1, vcpu_mask
LABEL masked
        nop
        movl $1, in_section
LABEL section
        int3                            # a probe
LABEL probed
        nop
        movl $0, in_section
LABEL section_end
        ENABLE_EVENTS
LABEL unmasked
        nop
LABEL race_end
        OK

# Straight from the processor, past the hypervisor.
        GATE VECTOR_BP, guest_breakpoint, TRAP_GATE+FROM_USER, GUEST_CS
LABEL guest_breakpoint
        .if RIGHT
        cmpb $0, vcpu_mask              # what IF would have been
        je 1f
        andl $~EFLAGS_IF, 8(%esp)
1:
        .endif
        movb $1, vcpu_mask
LABEL guest_breakpoint_work
        nop
LABEL kernel_iret
        testl $EFLAGS_IF, 8(%esp)       # the frame's
        setz vcpu_mask
LABEL kernel_iret_test
        cmpw $PENDING_UNMASKED, vcpu_pending
        jne 1f
        movb $1, vcpu_mask
        jmp guest_event
1:
LABEL kernel_iret_iret
        iretl

LABEL guest_event
        movb $0, vcpu_pending
        cmpl $0, in_section
        je kernel_iret
        BROKEN "an event in a section that masks them"

        .data
VARIABLE in_section
        .long 0
