# Paging: who may do what, error codes and CR2, and what a fault leaves behind.
# Intel SDM vol. 3A §4.3, §4.6, §4.7.

        .include "paging.inc"

test_main:
        BOTH "read, no directory entry", 0, ALL, ALL, movl L+4, %eax
        BOTH "write, no directory entry", 0, ALL, ALL, movl %eax, L+4
        BOTH "read, no page", ALL, 0, ALL, movl L+4, %eax
        BOTH "write, no page", ALL, 0, ALL, movl %eax, L+4
        BOTH "read, all bits of the entry set but P", ALL, 0xffe, ALL, movl L+4, %eax
        BOTH "read, page of the supervisor", ALL, P|W, ALL, movl L+4, %eax
        BOTH "write, page of the supervisor", ALL, P|W, ALL, movl %eax, L+4
        BOTH "read, directory entry of the supervisor", P|W, ALL, ALL, movl L+4, %eax
        BOTH "read, read-only page", ALL, P|U, ALL, movl L+4, %eax
        BOTH "write, read-only page", ALL, P|U, ALL, movl %eax, L+4
        BOTH "write, read-only directory entry", P|U, ALL, ALL, movl %eax, L+4
        BOTH "write, read-only page of the supervisor", ALL, P, ALL, movl %eax, L+4
        BOTH "write where directory and page allow", ALL, ALL, ALL, movl %eax, L+4
        BOTH "add to memory, no page", ALL, 0, ALL, addl %eax, L+4
        BOTH "cmp with memory, no page", ALL, 0, ALL, cmpl %eax, L+4
        BOTH "bt of memory, read-only page", ALL, P|U, ALL, btl $3, L+4
        BOTH "bts of memory, read-only page", ALL, P|U, ALL, btsl $3, L+4
        BOTH "cmpxchg that stores nothing new, read-only page", ALL, P|U, ALL, cmpxchgl %ecx, L+4
        BOTH "cmpxchg8b that stores nothing new, read-only page", ALL, P|U, ALL, cmpxchg8b L+8
        BOTH "xchg, read-only page", ALL, P|U, ALL, xchgl %eax, L+4
        BOTH "inc of a read-only page leaves the flags", ALL, P|U, ALL, incl L+4

# --- CR0.WP, CPL 1 ---
        PAGED "WP: write, read-only page"
        ENTRIES ALL, P|U, ALL
        WRITE_PROTECT
        GO
        movl %eax, L
        END
        PAGED "WP: write, read-only page of the supervisor"
        ENTRIES ALL, P, ALL
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
        PAGED "WP turned off again"
        ENTRIES ALL, P|U, ALL
        WRITE_PROTECT
        andl $~0x10000, %eax
        movl %eax, %cr0
        GO
        movl %eax, L
        END
        PAGED "CPL 1 is the supervisor: a page of its own, a read-only page"
        ENTRIES ALL, P|W, P|U
        LEVEL1
        VECTOR 0x31, CODE1, level1_accesses, 0xee
        USER
        int $0x31
        USER_END

# --- instruction fetches ---
        PAGED "jump to no page"
        ENTRIES ALL, 0, ALL
        GO
        movl $L + 0x10, test_start
        movl $L + 0x10, %eax
        jmp *%eax
        END
        PAGED "CPL 3, jump to no page"
        ENTRIES ALL, 0, ALL
        USER
        movl $L + 0x10, test_start
        movl $L + 0x10, %eax
        jmp *%eax
        USER_END
        PAGED "CPL 3, jump to a page of the supervisor"
        ENTRIES ALL, P|W, ALL
        USER
        movl $L + 0x10, test_start
        movl $L + 0x10, %eax
        jmp *%eax
        USER_END
        PAGED "an instruction that goes on in a page that isn't there"
        movl $0xb8, L + 0xffe           # mov $imm32, %eax
        ENTRIES ALL, ALL, 0
        GO
        movl $L + 0xffe, test_start
        movl $L + 0xffe, %ebx
        jmp *%ebx
        END
        PAGED "an instruction that ends with its page, the next isn't there"
        movl $0xcc, L + 0xfff
        ENTRIES ALL, ALL, 0
        GO
        movl $L + 0xfff, test_start
        movl $L + 0xfff, %ebx
        jmp *%ebx
        END

# --- accesses across pages ---
        BOTH "read across, no second page", ALL, ALL, 0, movl L+0xffe, %eax
        BOTH "read across, no first page", ALL, 0, ALL, movl L+0xffe, %eax
        BOTH "read across, neither page", ALL, 0, 0, movl L+0xffe, %eax
        BOTH "write across, no second page", ALL, ALL, 0, movl %eax, L+0xffe
        BOTH "write across, read-only second page", ALL, ALL, P|U, movl %eax, L+0xffe
        BOTH "write across, second page of the supervisor", ALL, ALL, P|W, movl %eax, L+0xffe
        PAGED "a write across that faults leaves the first page"
        movl $0, page_a + 0xffc
        ENTRIES ALL, ALL, 0
        VECTOR 14, KERNEL_CS, note_page_a, 0x8e
        GO
        movl $0x12345678, L + 0xffe
        END
        PAGED "pusha across, no lower page, leaves ESP and memory"
        movl $0, page_b
        ENTRIES ALL, 0, ALL
        USER
        movl $L + 0x1004, %esp
        pushal
        USER_END
        PAGED "what that pusha left"
        NOTE page_b
        GO
        END
        PAGED "CPL 3, push, no page"
        ENTRIES ALL, 0, ALL
        USER
        movl $L + 0x1000, %esp
        pushl %eax
        USER_END
        PAGED "CPL 3, call, no page for the return address"
        ENTRIES ALL, 0, ALL
        USER
        movl $L + 0x1000, %esp
        call 1f
1:      USER_END
        PAGED "pop to no page leaves ESP"
        ENTRIES 0, 0, ALL
        GO
        pushl %eax
        popl L
        END
        PAGED "CPL 3, enter with a frame in no page"
        ENTRIES ALL, 0, ALL
        USER
        movl $L + 0x1000, %esp
        enter $16, $0
        USER_END
        PAGED "rep movsb into no page: ESI, EDI, ECX"
        ENTRIES ALL, ALL, 0
        VECTOR 14, KERNEL_CS, note_string, 0x8e
        movl $scratch, %esi
        movl $L + 0xffd, %edi
        movl $10, %ecx
        GO
        rep movsb
        END
        PAGED "rep movsl backwards into no page: ESI, EDI, ECX"
        ENTRIES ALL, 0, ALL
        VECTOR 14, KERNEL_CS, note_string, 0x8e
        movl $scratch + 64, %esi
        movl $L + 0x1008, %edi
        movl $10, %ecx
        GO
        std
        rep movsl
        END
        PAGED "repe cmpsb: faults behind where it ends"
        ENTRIES ALL, ALL, 0
        movb $1, L + 0xffe
        movl $zeros, %esi
        movl $L + 0xffc, %edi
        movl $10, %ecx
        movb $0, L + 0xffc
        movb $0, L + 0xffd
        GO
        repe cmpsb
        NOTE %ecx
        END
        ret

note_page_a:
        NOTE page_a+0xffc
        jmp finish

note_string:
        subl $scratch, %esi
        NOTE %esi
        NOTE %edi
        NOTE %ecx
        jmp finish

level1_accesses:
        movl L, %eax
        movl %eax, L + 0x1000
        iretl

        .bss
zeros:  .space 4096
        .text
