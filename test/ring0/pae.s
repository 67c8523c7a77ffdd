# Paging with entries of 64 bits: faults at each level, reserved bits, 2 MiB pages, accessed and dirty bits.
# Intel SDM vol. 3A §4.4, §4.6 to §4.8.

        .include "ring0.inc"

        L = 0x800000                    # two pages, then nothing
        HIGH = 0x40000000               # what the second directory pointer is for
        P = 1
        W = 2
        U = 4
        LARGE = 0x80
        ALL = 7

        .macro PAGED name
        TEST "\name"
        call set_up_pages
        .endm

# The entries of the two pages' directory entry, and of the pages: low halves over the address, and the
# high halves.
        .macro ENTRIES directory, first, second, high_directory=0, high_first=0
        movl $\directory, %eax
        movl $\first, %ebx
        movl $\second, %ecx
        movl $\high_directory, directory + 36
        movl $\high_first, table + 4
        call set_entries
        .endm

        .macro NOTE_LOW entry
        movl \entry, %eax
        andl $0xfff, %eax
        NOTE %eax
        .endm

        .macro BOTH name, directory, first, second, high_directory, high_first, code:vararg
        PAGED "\name"
        ENTRIES \directory, \first, \second, \high_directory, \high_first
        GO
        \code
        END
        PAGED "CPL 3, \name"
        ENTRIES \directory, \first, \second, \high_directory, \high_first
        USER
        \code
        USER_END
        .endm

        .macro WRITE_PROTECT
        SET_CR0 0x10000
        .endm

        .macro RELOAD
        movl %cr3, %eax
        movl %eax, %cr3
        .endm

test_main:
        BOTH "read, no directory entry", 0, ALL, ALL, 0, 0, movl L+4, %eax
        BOTH "write, no directory entry", 0, ALL, ALL, 0, 0, movl %eax, L+4
        BOTH "read, no page", ALL, 0, ALL, 0, 0, movl L+4, %eax
        BOTH "write, no page", ALL, 0, ALL, 0, 0, movl %eax, L+4
        BOTH "read, page of the supervisor", ALL, P|W, ALL, 0, 0, movl L+4, %eax
        BOTH "read, directory entry of the supervisor", P|W, ALL, ALL, 0, 0, movl L+4, %eax
        BOTH "write, read-only page", ALL, P|U, ALL, 0, 0, movl %eax, L+4
        BOTH "write, read-only directory entry", P|U, ALL, ALL, 0, 0, movl %eax, L+4
        BOTH "write where all allows", ALL, ALL, ALL, 0, 0, movl %eax, L+4
        BOTH "read across, no second page", ALL, ALL, 0, 0, 0, movl L+0xffe, %eax
        BOTH "read, bit 62 of the page's entry", ALL, ALL, ALL, 0, 0x40000000, movl L+4, %eax
        BOTH "write, bit 62 of the page's entry", ALL, ALL, ALL, 0, 0x40000000, movl %eax, L+4
        BOTH "read, bit 63 of the page's entry, NXE clear", ALL, ALL, ALL, 0, 0x80000000, movl L+4, %eax
        BOTH "read, bit 48 of the directory entry", ALL, ALL, ALL, 0x10000, 0, movl L+4, %eax
        BOTH "write, bit 62 of a read-only page of the supervisor", ALL, P, ALL, 0, 0x40000000, movl %eax, L+4
        BOTH "read, bit 62 of the entry of no page", ALL, U|W, ALL, 0, 0x40000000, movl L+4, %eax
        BOTH "read, bit 62 of the entry of no table", U|W, ALL, ALL, 0x40000000, 0, movl L+4, %eax

        PAGED "WP: write, read-only page"
        ENTRIES ALL, P|U, ALL
        WRITE_PROTECT
        GO
        movl %eax, L
        END
        PAGED "WP: write, read-only directory entry"
        ENTRIES P|U, ALL, ALL
        WRITE_PROTECT
        GO
        movl %eax, L
        END
        PAGED "jump to no page"
        ENTRIES ALL, 0, ALL
        GO
        movl $L + 0x10, test_start
        movl $L + 0x10, %eax
        jmp *%eax
        END

# --- page directory pointers ---
        PAGED "read, no directory pointer"
        GO
        movl HIGH + L, %eax
        END
        PAGED "CPL 3, write, no directory pointer"
        USER
        movl %eax, HIGH + L
        USER_END
        PAGED "a directory pointer set, CR3 not loaded"
        GO
        movl $directory + P, pointers + 8
        movl HIGH + L, %eax
        END
        PAGED "a directory pointer set, CR3 loaded"
        movl $0x1111, page_a
        GO
        movl $directory + P, pointers + 8
        RELOAD
        NOTE HIGH+L
        END
        PAGED "a directory pointer cleared, CR3 not loaded"
        movl $0x1111, page_a
        movl $directory + P, pointers + 8
        RELOAD
        GO
        movl $0, pointers + 8
        invlpg HIGH + L
        NOTE HIGH+L
        END
        .irp bit, 0x2, 0x4, 0x20, 0x40, 0x80, 0x100
        PAGED "CR3 loaded, bits \bit of a directory pointer"
        movl $directory + P + \bit, pointers + 8
        movl %cr3, %eax
        GO
        movl %eax, %cr3
        END
        PAGED "CR3 loaded, bits \bit of a directory pointer that isn't there"
        movl $directory + \bit, pointers + 8
        movl %cr3, %eax
        GO
        movl %eax, %cr3
        END
        .endr
        PAGED "CR3 loaded, bit 62 of a directory pointer"
        movl $directory + P, pointers + 8
        movl $0x40000000, pointers + 12
        movl %cr3, %eax
        GO
        movl %eax, %cr3
        END
        PAGED "the translation after such a load"
        movl $0x2222, page_a
        movl $directory + P + 2, pointers + 8
        VECTOR 13, KERNEL_CS, note_l, 0x8e
        movl %cr3, %eax
        GO
        movl %eax, %cr3
        END
        PAGED "low bits of CR3: pointers at a multiple of 32"
        movl $0x3333, page_a
        movl $directory + P, more_pointers
        movl $more_pointers, %eax
        GO
        movl %eax, %cr3
        NOTE L
        END

# --- accessed and dirty bits: directory pointer, directory entry, the pages' entries ---
        PAGED "a read sets A"
        GO
        movl L, %eax
        NOTE_LOW pointers
        NOTE_LOW directory+32
        NOTE_LOW table
        NOTE_LOW table+8
        END
        PAGED "a write sets A and D"
        GO
        movl %eax, L
        NOTE_LOW pointers
        NOTE_LOW directory+32
        NOTE_LOW table
        END

# --- 2 MiB pages ---
        PAGED "a 2 MiB page: the value, A and D"
        movl $0x4444, scratch
        call large_page
        GO
        NOTE L+scratch
        NOTE_LOW directory+32
        movl %eax, L + scratch + 4
        NOTE_LOW directory+32
        END
        .irp bit, 0x2000, 0x100000
        PAGED "a 2 MiB page, bit \bit"
        call large_page
        movl $ALL + LARGE + \bit, directory + 32
        GO
        movl L, %eax
        END
        .endr
        PAGED "CPL 3, write of a 2 MiB page, bit 62"
        call large_page
        movl $0x40000000, directory + 36
        USER
        movl %eax, L
        USER_END
        PAGED "CPL 3, a 2 MiB page of the supervisor"
        call large_page
        movl $P + W + LARGE, directory + 32
        USER
        movl L, %eax
        USER_END
        PAGED "CPL 3, a read-only 2 MiB page"
        call large_page
        movl $P + U + LARGE, directory + 32
        USER
        movl %eax, L
        USER_END
        PAGED "2 MiB pages need no CR4.PSE"
        movl $0x5555, scratch
        call large_page
        movl %cr4, %eax
        NOTE %eax
        GO
        NOTE L+scratch
        END
        ret

# The first 4 MiB linear = physical by two large pages, and L by a table.
set_up_pages:
        pushal
        movl %cr0, %eax
        andl $0x7fffffff, %eax
        movl %eax, %cr0
        movl $pointers, %edi
        movl $3072, %ecx                # and the directory, and the table
        xorl %eax, %eax
        rep stosl
        movl $directory + P, pointers
        movl $ALL + LARGE, directory
        movl $0x200000 + ALL + LARGE, directory + 8
        movl $table + ALL, directory + 32
        movl $page_a + ALL, table
        movl $page_b + ALL, table + 8
        movl $0x20, %eax
        movl %eax, %cr4
        movl $pointers, %eax
        movl %eax, %cr3
        movl %cr0, %eax
        orl $0x80000000, %eax
        movl %eax, %cr0
        popal
        ret

set_entries:
        addl $table, %eax
        movl %eax, directory + 32
        addl $page_a, %ebx
        movl %ebx, table
        addl $page_b, %ecx
        movl %ecx, table + 8
        RELOAD
        ret

large_page:
        movl $ALL + LARGE, directory + 32
        movl $0, directory + 36
        invlpg L
        ret

note_l: NOTE L
        jmp finish

        .bss
        .balign 4096
pointers: .space 32
more_pointers: .space 4064
directory: .space 4096
table:  .space 4096
page_a: .space 4096
page_b: .space 4096
        .text
