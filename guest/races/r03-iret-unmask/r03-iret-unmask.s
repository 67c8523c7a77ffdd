# R3: the return from an exception clears the event mask of a section that had set it.

        .include "race.inc"
        RACE "r03-iret-unmask"
        .include "paging.inc"
        .include "hypervisor.inc"

LABEL race
        call set_paging
        movl $(vmalloc_table + PTE_WRITABLE + PTE_PRESENT), page_directory + PDE_VMALLOC * 4
        ENTER_GUEST guest_main

LABEL guest_main
        nop
LABEL race_begin
        nop
        movb $1, vcpu_mask
LABEL masked
        movl $1, in_section
LABEL section
        nop
LABEL touch
        movl %eax, VMALLOC              # not there yet: #PF, in the middle of the section
LABEL touched
        nop
        movl $0, in_section
LABEL section_end
        ENABLE_EVENTS
LABEL unmasked
        nop
LABEL race_end
        OK

# The hypervisor's part of a page fault: to the kernel, with what the mask was in the frame's IF.
        GATE VECTOR_PF, hv_page_fault
LABEL hv_page_fault
        addl $4, %esp                   # the error code
        HV_ENTER
        movl $guest_page_fault, %ebx
        jmp hv_bounce

LABEL guest_page_fault
        movl $(vmalloc_page + PTE_WRITABLE + PTE_PRESENT), vmalloc_table
LABEL kernel_iret
        pushl %eax
        testl $EFLAGS_IF, 12(%esp)      # the frame's
        setz vcpu_mask
LABEL kernel_iret_test
        cmpw $PENDING_UNMASKED, vcpu_pending
        .if RIGHT
        jne 1f
        movb $1, vcpu_mask              # one waits that may come: it is taken in this frame's place
1:
        .else
        sete vcpu_mask                  # the same where one waits; where none does, the mask is cleared
LABEL kernel_iret_cleared
        .endif
        popl %eax
LABEL kernel_iret_leave
        je guest_event
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
