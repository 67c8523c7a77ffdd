# R16: a page fault inside a lazy-MMU section, whose repair is put off like every other update.

        .include "race.inc"
        RACE "r16-lazy-mmu"
        .include "paging.inc"

        FAULTS_MOST = 3

LABEL race
        call set_paging
        # The kernel's master directory has the vmalloc area; that of this task gets it at its first fault.
        movl $(vmalloc_table + PTE_WRITABLE + PTE_PRESENT), master_entry
        movl $(vmalloc_page + PTE_WRITABLE + PTE_PRESENT), vmalloc_table
        sti
LABEL race_begin
        nop
        movl $1, is_lazy                # arch_enter_lazy_mmu_mode
LABEL lazy
        movl $table, %eax
        movl $0x1001, %edx
        call set_entry
        call flush_entries
        movl $0, is_lazy
LABEL lazy_end
        nop
LABEL race_end
        cmpl $0x1001, table
        jne lost
        OK
lost:   FAILED "an update is lost"

# The entry at EAX := EDX; at once, or with those that wait in a lazy section. ECX is lost.
LABEL set_entry
        pushfl
        cli
        cmpl $0, is_lazy
        jne 1f
        movl %edx, (%eax)
        popfl
        ret
1:      movl queue_length, %ecx
        movl %eax, queue(,%ecx,8)
        movl %edx, queue + 4(,%ecx,8)
        incl queue_length
        popfl
LABEL set_entry_ret
        ret

# Carries out the updates that wait. EAX, ECX and EDX are lost.
LABEL flush_entries
        pushfl
        cli
        movl queue_length, %ecx
1:      decl %ecx
        js 2f
        movl queue(,%ecx,8), %eax
        movl queue + 4(,%ecx,8), %edx
        movl %edx, (%eax)
        jmp 1b
2:      movl $0, queue_length
        popfl
LABEL flush_ret
        ret

        GATE VECTOR_PF, page_fault
LABEL page_fault
        addl $4, %esp                   # the error code
        pushal
        incl faults
        cmpl $FAULTS_MOST, faults
        ja endless
        movl $(page_directory + PDE_VMALLOC * 4), %eax
        movl master_entry, %edx
        call set_entry
        .if RIGHT
        call flush_entries
        .endif
        popal
LABEL page_fault_iret
        iretl
LABEL endless
        BROKEN "the same page fault again and again: its repair waits in the queue"

        GATE VECTOR_IRQ0, tick
LABEL tick
        pushal
        EOI
        movl VMALLOC, %eax
        popal
        iretl

        .data
VARIABLE is_lazy
        .long 0
VARIABLE faults
        .long 0
VARIABLE queue_length
        .long 0
VARIABLE queue, 64
        .fill 16, 4, 0
VARIABLE table
        .long 0
VARIABLE master_entry
        .long 0
