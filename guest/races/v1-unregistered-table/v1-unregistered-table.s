# V1: a page table that was made before the hypervisor came is not among those it knows, and updates of it
# are dropped.

        .include "race.inc"
        RACE "v1-unregistered-table"
        .include "paging.inc"

LABEL race
        call set_paging
        sti
LABEL race_begin
        nop
LABEL booting
        nop
LABEL activate
        call activate_monitor
LABEL activated
        movl $1, %eax
        call map_slot
LABEL mapped
        movl VMALLOC + 4096, %eax
LABEL used
        nop
LABEL race_end
        OK

# From here on updates of page tables are calls, and those of pages that were not registered are dropped.
LABEL activate_monitor
        pushfl
        cli
        .if RIGHT
        cmpl $0, page_directory + PDE_VMALLOC * 4
        je 1f
        movb $1, is_registered          # the tables that are there already
1:
        .endif
        movb $1, is_active
        popfl
LABEL activate_ret
        ret

# Maps page EAX of the area, whose table is made when it is first needed.
LABEL map_slot
        pushfl
        cli
        cmpl $0, page_directory + PDE_VMALLOC * 4
        jne 1f
        movb is_active, %cl
        movb %cl, is_registered         # AllocatePage, where there is anybody to tell
        movl $(vmalloc_table + PTE_WRITABLE + PTE_PRESENT), page_directory + PDE_VMALLOC * 4
1:      cmpb $0, is_active
        je 2f
        cmpb $0, is_registered
        je 3f
2:      movl $(vmalloc_page + PTE_WRITABLE + PTE_PRESENT), vmalloc_table(,%eax,4)
3:      popfl
LABEL map_ret
        ret

        GATE VECTOR_PF, page_fault
LABEL page_fault
        BROKEN "page fault: the update of a page table was dropped"

# A driver that maps its registers when it first has something to do.
        GATE VECTOR_IRQ0, tick
LABEL tick
        pushal
        EOI
        xorl %eax, %eax
        call map_slot
        movl VMALLOC, %eax
        popal
        iretl

        .data
VARIABLE is_active, 1
        .byte 0
VARIABLE is_registered, 1
        .byte 0
