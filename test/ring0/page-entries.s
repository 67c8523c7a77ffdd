# Accessed and dirty bits, 4 MiB pages, and the accesses that the processor makes by itself.
# Intel SDM vol. 3A §4.3, §4.6 to §4.8.

        .include "paging.inc"

# Interrupt 31h goes to CPL 1.
        .macro INNER_INT
        LEVEL1
        VECTOR 0x31, CODE1, at_level1, 0xee
        .endm

test_main:
# --- accessed and dirty bits: directory entry, first page's entry ---
        PAGED "a read sets A"
        GO
        movl L, %eax
        NOTE_LOW directory+8
        NOTE_LOW table
        NOTE_LOW table+4
        END
        PAGED "a write sets A and D, and D of no directory entry"
        GO
        movl %eax, L
        NOTE_LOW directory+8
        NOTE_LOW table
        END
        PAGED "a read, then a write"
        GO
        movl L, %eax
        NOTE_LOW table
        movl %eax, L
        NOTE_LOW table
        END
        PAGED "an access across sets both pages'"
        GO
        movl %eax, L + 0xffe
        NOTE_LOW table
        NOTE_LOW table+4
        END
        PAGED "a fetch sets A"
        movb $0xc3, page_a
        GO
        movl $L, %eax
        call *%eax
        NOTE_LOW table
        END
        PAGED "D is set by an access that writes what was there"
        GO
        orl $0, L
        NOTE_LOW table
        END
        PAGED "a write that faults sets no D"
        ENTRIES ALL, P|U, ALL
        WRITE_PROTECT
        VECTOR 14, KERNEL_CS, note_dirty, 0x8e
        GO
        movl %eax, L
        END
        PAGED "invlpg, and a page's entry changed"
        movl $0x1111, page_a
        movl $0x2222, page_b
        GO
        NOTE L
        movl table + 4, %eax
        movl %eax, table
        invlpg L
        NOTE L
        END
        PAGED "CR3 loaded, and a directory entry changed"
        movl $0x1111, page_a
        GO
        NOTE L
        movl $0, directory + 8
        movl %cr3, %eax
        movl %eax, %cr3
        movl L, %eax
        END
        PAGED "CPL 3, invlpg"
        USER
        invlpg L
        USER_END

# --- 4 MiB pages ---
        PAGED "CR4.PSE clear: bit 7 of a directory entry is ignored"
        movl $0x1111, page_a
        ENTRIES 0x87, ALL, ALL
        GO
        NOTE L
        END
        PAGED "a 4 MiB page: the value, A and D"
        movl $0x3333, scratch
        call large_page
        GO
        NOTE L+scratch
        NOTE_LOW directory+8
        movl %eax, L + scratch + 4
        NOTE_LOW directory+8
        END
        PAGED "CPL 3, a 4 MiB page of the supervisor"
        call large_page
        movl $0x83, directory + 8
        USER
        movl L, %eax
        USER_END
        PAGED "CPL 3, a read-only 4 MiB page"
        call large_page
        movl $0x85, directory + 8
        USER
        movl %eax, L
        USER_END
        PAGED "a 4 MiB page with reserved bits set"
        call large_page
        movl $0x00200087, directory + 8
        GO
        movl L, %eax
        END
        PAGED "CPL 3, a 4 MiB page with reserved bits set"
        call large_page
        movl $0x00200087, directory + 8
        USER
        movl %eax, L
        USER_END
        PAGED "a 4 MiB page that isn't there, with reserved bits set"
        call large_page
        movl $0x00200086, directory + 8
        GO
        movl L, %eax
        END

# --- accesses that no instruction names are the supervisor's ---
        PAGED "CPL 3, a descriptor in a page of the supervisor"
        movl $page_a, %edi
        movl $gdt, %esi
        movl $GDT_BYTES / 4, %ecx
        rep movsl
        movl $L, gdt_pointer + 2
        lgdt gdt_pointer
        movl $gdt, gdt_pointer + 2
        ENTRIES ALL, P|W, ALL
        USER
        movl $USER_DS, %eax
        movl %eax, %ds
        int $0x30
89:
        PAGED "CPL 3, a descriptor in no page"
        SEGMENT SPARE, $0, $0xfffff, $0xc0f2
        movl $page_a + 0x1000 - SPARE, %edi
        movl $gdt, %esi
        movl $SPARE / 4, %ecx
        rep movsl
        movl $L + 0x1000 - SPARE, gdt_pointer + 2
        lgdt gdt_pointer
        movl $gdt, gdt_pointer + 2
        ENTRIES ALL, ALL, 0
        USER
        movl $SPARE + 3, %eax
        movl %eax, %ds
        int $0x30
89:
        PAGED "an accessed bit in a read-only page, WP set: error code and CR2, its low bits cleared"
        SEGMENT SPARE, $0, $0xfffff, $0xc0f2
        movl $page_a + 0x1000 - SPARE, %edi
        movl $gdt, %esi
        movl $(SPARE + 8) / 4, %ecx
        rep movsl
        movl $L + 0x1000 - SPARE, gdt_pointer + 2
        lgdt gdt_pointer
        movl $gdt, gdt_pointer + 2
        ENTRIES ALL, ALL, P|U
        WRITE_PROTECT
        VECTOR 14, KERNEL_CS, note_fault, 0x8e
        USER
        movl $SPARE + 3, %eax
        movl %eax, %ds
        int $0x30
89:
        PAGED "CPL 3, int: its gate in no page"
        movl $page_a + 0x1000 - 0x31 * 8, %edi
        movl $idt, %esi
        movl $0x31 * 2, %ecx
        rep movsl
        movl $L + 0x1000 - 0x31 * 8, idt_pointer + 2
        lidt idt_pointer
        movl $idt, idt_pointer + 2
        ENTRIES ALL, ALL, 0
        USER
        int $0x31
89:
        PAGED "CPL 3, int: the inner stack's name in no page"
        INNER_INT
        movl $inner_stack_top, page_a + 0x1000 - 8
        movl $KERNEL_DS, page_a + 0x1000 - 4
        SEGMENT SPARE, $L+0x1000-12, $0x67, $0x89
        movl $SPARE, %eax
        ltr %ax
        ENTRIES ALL, ALL, 0
        USER
        int $0x31
89:
        PAGED "CPL 3, int: the inner stack in no page"
        INNER_INT
        movl $L + 0x1000, tss + 12
        ENTRIES ALL, 0, ALL
        USER
        int $0x31
89:
        PAGED "CPL 3, int: the inner stack in a page of the supervisor"
        INNER_INT
        movl $L + 0x1000, tss + 12
        ENTRIES ALL, P|W, ALL
        USER
        int $0x31
89:

# --- control registers ---
        TEST "CR2 can be written"
        movl $0x12345678, %eax
        GO
        movl %eax, %cr2
        movl %cr2, %ebx
        NOTE %ebx
        END
        TEST "CPL 3, mov from CR2"
        USER
        movl %cr2, %eax
        USER_END
        ret

large_page:
        movl $0x87, directory + 8
        movl $0x10, %eax
        movl %eax, %cr4
        ret

note_fault:
        popl %eax
        NOTE %eax
        movl %cr2, %eax
        andl $~7, %eax
        NOTE %eax
        jmp finish

note_dirty:
        movl table, %eax
        andl $D, %eax
        NOTE %eax
        jmp finish

at_level1:
        movl %cs, %eax
        NOTE %eax
        int $0x30
