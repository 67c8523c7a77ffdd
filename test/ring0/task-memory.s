# Task switches under paging: TSSs in pages that may not be used, the new task's CR3, and tasks in
# virtual-8086 mode. Intel SDM vol. 3A §7.3 to §7.5; vol. 3B §20.2.5.

        .include "paging.inc"
        .include "tasks.inc"

        X = SPARE + 40
        LOCAL = 0x0c
        VM = 0x20000
        PLACE = 0x7000

# Task B's TSS at an offset in the two pages at L.
        .macro B_AT offset
        movl $tss_b, %esi
        movl $page_a + \offset, %edi
        movl $26, %ecx
        rep movsl
        SEGMENT B, $L + \offset, $0x67, $0x89
        .endm

# The main task's TSS there.
        .macro MAIN_AT offset
        movl $tss, %esi
        movl $page_a + \offset, %edi
        movl $26, %ecx
        rep movsl
        SEGMENT X, $L + \offset, $0x67, $0x89
        movl $X, %eax
        ltr %ax
        .endm

        .macro NOTE_PAGE_FAULT
        VECTOR 14, KERNEL_CS, note_page_fault, 0x8e
        .endm

test_main:
# --- error code, the page of CR2, TR, busy bits of the main task and B, EIP ---
        .irp how, ljmp, lcall
        PAGED "\how: the new TSS in no page"
        TASK_B task_notes
        B_AT 0x100
        NOTE_PAGE_FAULT
        ENTRIES ALL, 0, ALL
        GO
        \how $B, $0
        END
        PAGED "\how: the new TSS goes on in no page"
        TASK_B task_notes
        B_AT 0xfc0
        NOTE_PAGE_FAULT
        ENTRIES ALL, ALL, 0
        GO
        \how $B, $0
        END
        PAGED "\how: the new TSS in a read-only page, WP set"
        TASK_B task_notes
        B_AT 0x100
        NOTE_PAGE_FAULT
        ENTRIES ALL, P|U, ALL
        WRITE_PROTECT
        GO
        \how $B, $0
        END
        PAGED "\how: the old TSS in no page"
        TASK_B task_notes
        MAIN_AT 0x100
        NOTE_PAGE_FAULT
        ENTRIES ALL, 0, ALL
        GO
        \how $B, $0
        END
        PAGED "\how: the old TSS in a read-only page, WP set"
        TASK_B task_notes
        MAIN_AT 0x100
        NOTE_PAGE_FAULT
        ENTRIES ALL, P|U, ALL
        WRITE_PROTECT
        GO
        \how $B, $0
        END
        .endr
        PAGED "CPL 3, call through a task gate: the TSSs may be in pages of the supervisor"
        TASK_B task_notes
        B_AT 0x100
        GATE X, B, 0, 0xe5
        ENTRIES ALL, P|W, ALL
        USER
        lcall $X, $0
89:

# --- CR3 ---
        PAGED "the new task's CR3: a word at L"
        movl $0x1111, page_a
        movl $0x2222, page_b
        call other_directory
        TASK_B task_l
        movl $directory_b, tss_b + 0x1c
        GO
        NOTE L
        ljmp $B, $0
89:
# --- exceptions ---
        PAGED "#PF through a task gate: error code, CR2, EIP saved"
        TASK_B task_page_fault
        VECTOR 14, B, 0, 0x85
        ENTRIES ALL, 0, ALL
        GO
        movl %eax, L + 4
        END
        PAGED "#GP through a task gate, the new task at CPL 3 with a stack in no page"
        TASK_B task_notes
        movl $USER_CS, tss_b + CS
        movl $USER_DS, tss_b + SS
        movl $L + 0x800, tss_b + ESP
        VECTOR 13, B, 0, 0x85
        ENTRIES ALL, 0, ALL
        movl $TSS_MAIN, %eax
        GO
        movl $task_notes, test_start
        movl %eax, %ds
89:
        PAGED "the new task's CS in an LDT that is in no page"
        TASK_B task_notes
        SEGMENT X, $L, $0xff, $0x82
        movl $X, tss_b + LDT
        movl $LOCAL + 3, tss_b + CS
        movl $USER_DS, tss_b + SS
        movl $user_stack_top, tss_b + ESP
        ENTRIES ALL, 0, ALL
        GO
        movl $task_notes, test_start
        ljmp $B, $0
89:
        PAGED "the new task's first instruction in no page"
        TASK_B L
        ENTRIES ALL, 0, ALL
        GO
        movl $L, test_start
        ljmp $B, $0
89:

# --- virtual-8086 mode ---
        TEST "a task in virtual-8086 mode: EFLAGS, CS, EIP, SS, ESP, ES, DS, FS, GS pushed by its INT"
        call virtual_b
        VECTOR 0x31, KERNEL_CS, note_frame, 0xee
        GO
        ljmp $B, $0
89:
        TEST "its EIP is beyond FFFFh"
        call virtual_b
        movl $0x10000, tss_b + EIP
        GO
        movl $0x10000, test_start
        ljmp $B, $0
89:
        TEST "and back by a task gate, and again by IRET: busy bits, what it has in CS and EFLAGS"
        call virtual_b
        VECTOR 0x31, TSS_MAIN, 0, 0xe5
        GO
        ljmp $B, $0
        str %eax
        NOTE %eax
        NOTE_BUSY
        NOTE tss_b+CS
        NOTE tss_b+EFLAGS
        NOTE tss_b+EIP
        VECTOR 0x31, KERNEL_CS, note_frame, 0xee
        movl $0x31cd, PLACE + 2
        iretl
89:
        ret

other_directory:
        pushal
        movl $directory, %esi
        movl $directory_b, %edi
        movl $1024, %ecx
        rep movsl
        movl $table_b + ALL, directory_b + 8
        movl $page_b + ALL, table_b
        popal
        ret

virtual_b:
        TASK_B 0
        movl $0x31cd, PLACE
        movl $VM + 0x3002, tss_b + EFLAGS
        movl $0x800, tss_b + ESP
        movl $0x1234, tss_b + ES
        movl $PLACE >> 4, tss_b + CS
        movl $0x600, tss_b + SS
        movl $0x5678, tss_b + DS
        movl $3, tss_b + FS
        movl $0xffff, tss_b + GS
        ret

note_page_fault:
        popl %eax
        NOTE %eax
        movl %cr2, %eax
        andl $~0xfff, %eax
        NOTE %eax
        str %eax
        NOTE %eax
        movzbl gdt + TSS_MAIN + 5, %eax
        NOTE %eax
        movzbl gdt + B + 5, %eax
        NOTE %eax
        movl (%esp), %eax
        subl test_start, %eax
        NOTE %eax
        jmp finish

task_page_fault:
        popl %eax
        NOTE %eax
        movl %cr2, %eax
        NOTE %eax
        movl tss + EIP, %eax
        subl test_start, %eax
        NOTE %eax
        jmp finish

task_l: NOTE L
        jmp finish

note_frame:
        movl %esp, %ebp
        movl $USER_DS, %eax
        movl %eax, %ds
        .irp offset, 8, 4, 0, 16, 12, 20, 24, 28, 32
        NOTE \offset(%ebp)
        .endr
        jmp finish

        .bss
        .balign 4096
directory_b: .space 4096
table_b: .space 4096
        .text
