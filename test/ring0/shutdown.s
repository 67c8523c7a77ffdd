# Ways to a triple fault: the last character of the command line says which.
# Intel SDM vol. 3A §6.15, "Interrupt 8".

        .include "paging.inc"

        X = SPARE

        .macro WAY digit                # in ASCII
        cmpb $0x\digit, way
        jne 99f
        .endm

        .macro WAY_END
        PRINT "survived\n"
        ret
99:
        .endm

test_main:
        movl 16(%ebx), %esi             # of the Multiboot information: the command line
1:      lodsb
        testb %al, %al
        jz 2f
        movb %al, way
        jmp 1b
2:      call begin
        movl $TSS_MAIN, %eax
        PRINT "into it\n"
        WAY 31                           # no IDT
        movw $0, idt_pointer
        lidt idt_pointer
        ud2
        WAY_END
        WAY 32                           # the gates of #GP and #DF absent
        VECTOR 13, KERNEL_CS, finish, 0x0e
        VECTOR 8, KERNEL_CS, finish, 0x0e
        movl %eax, %ds
        WAY_END
        WAY 33                           # the code of #DF's gate absent
        VECTOR 13, KERNEL_CS, finish, 0x0e
        SEGMENT X, $0, $0xfffff, $0xc01a
        VECTOR 8, X, finish, 0x8e
        movl %eax, %ds
        WAY_END
        WAY 34                           # #DF's task busy
        VECTOR 13, KERNEL_CS, finish, 0x0e
        VECTOR 8, TSS_MAIN, 0, 0x85
        movl %eax, %ds
        WAY_END
        WAY 35                           # the stack in no page: #PF, #DF
        call set_up_pages
        ENTRIES ALL, 0, ALL
        movl $L + 0x800, %esp
        pushl %eax
        WAY_END
        WAY 36                           # the IDT in no page
        call set_up_pages
        movl $L, idt_pointer + 2
        lidt idt_pointer
        ENTRIES ALL, 0, ALL
        ud2
        WAY_END
        WAY 37                           # CPL 3, no inner stack
        movl $0, tss + 8
        USER
        hlt
89:
        WAY_END
        WAY 38                           # the GDT in no page
        call set_up_pages
        movl $L, gdt_pointer + 2
        lgdt gdt_pointer
        ENTRIES ALL, 0, ALL
        ud2
        WAY_END
        WAY 39                           # #PF's stack in no page, #DF's too, at CPL 3
        call set_up_pages
        movl $L + 0x1000, tss + 4
        ENTRIES ALL, 0, ALL
        USER
        movl L, %eax
89:
        WAY_END
        ret

        .data
way:    .byte 0
