# Loading segment registers. Intel SDM vol. 3A chapters 3 and 5; vol. 2 "MOV", "LDS".

        .include "ring0.inc"

        A = SPARE
        LOCAL = 0x0c                    # entry 1 of the LDT

        .macro LOAD_DS selector
        movl $\selector, %eax
        GO
        movl %eax, %ds
        movl %ds, %ebx
        movl $USER_DS, %eax
        movl %eax, %ds
        NOTE %ebx
        END
        .endm

        .macro LOAD_SS selector
        movl $\selector, %eax
        movl %ss, %ecx
        GO
        movl %eax, %ss
        movl %ss, %ebx
        movl %ecx, %ss
        NOTE %ebx
        END
        .endm

test_main:
# --- data segments ---
        TEST "ds: null"
        LOAD_DS 0
        TEST "ds: null with an RPL"
        LOAD_DS 3
        TEST "ds: data"
        SEGMENT A, $0, $0xfffff, $0xc092
        LOAD_DS A
        TEST "ds: read-only data"
        SEGMENT A, $0, $0xfffff, $0xc090
        LOAD_DS A
        TEST "ds: expand-down data"
        SEGMENT A, $0, $0, $0xc096
        LOAD_DS A
        TEST "ds: code that may be read"
        SEGMENT A, $0, $0xfffff, $0xc09a
        LOAD_DS A
        TEST "ds: code that may only be executed"
        SEGMENT A, $0, $0xfffff, $0xc098
        LOAD_DS A
        TEST "ds: conforming code that may be read"
        SEGMENT A, $0, $0xfffff, $0xc09e
        LOAD_DS A
        TEST "ds: absent"
        SEGMENT A, $0, $0xfffff, $0xc012
        LOAD_DS A
        TEST "ds: absent, and code that may only be executed"
        SEGMENT A, $0, $0xfffff, $0xc018
        LOAD_DS A
        TEST "ds: a TSS"
        LOAD_DS TSS_MAIN
        TEST "ds: type 0"
        LOAD_DS A
        TEST "ds: RPL 3, DPL 0"
        LOAD_DS KERNEL_DS+3
        TEST "ds: RPL 3, DPL 3"
        LOAD_DS USER_DS
        TEST "ds: RPL 0, DPL 3"
        LOAD_DS USER_DS-3
        TEST "ds: beyond the GDT"
        LOAD_DS GDT_BYTES
        TEST "ds: across the end of the GDT"
        SEGMENT A, $0, $0xfffff, $0xc092
        movw $A + 6, gdt_pointer
        lgdt gdt_pointer
        LOAD_DS A
        TEST "ds: the last of the GDT"
        SEGMENT A, $0, $0xfffff, $0xc092
        movw $A + 7, gdt_pointer
        lgdt gdt_pointer
        LOAD_DS A
        TEST "ds: from an LDT that there isn't"
        LOAD_DS LOCAL
        TEST "ds: from the LDT"
        movl $LDT_MAIN, %eax
        lldt %ax
        SEGMENT LOCAL, $0, $0xfffff, $0xc092
        LOAD_DS LOCAL
        TEST "ds: entry 0 of the LDT"
        movl $LDT_MAIN, %eax
        lldt %ax
        SEGMENT 4, $0, $0xfffff, $0xc092
        LOAD_DS 4
        TEST "ds: beyond the LDT"
        movl $LDT_MAIN, %eax
        lldt %ax
        LOAD_DS 0x84
        TEST "ds: the accessed bit is set"
        SEGMENT A, $0, $0xfffff, $0xc092
        movl $A, %eax
        GO
        NOTE gdt + A + 4
        movl %eax, %ds
        movl %ss, %eax
        movl %eax, %ds
        NOTE gdt + A + 4
        END
        TEST "ds: a fault leaves the accessed bit"
        SEGMENT A, $0, $0xfffff, $0xc098
        movl $A, %eax
        GO
        movl %eax, %ds
        END
        TEST "the accessed bit after that"
        NOTE gdt + A + 4
        GO
        END
        TEST "read through a null ds"
        xorl %eax, %eax
        GO
        movl %eax, %ds
        movl (%ebx), %eax
        END
        TEST "write through a null es"
        xorl %eax, %eax
        movl $scratch, %edi
        GO
        movl %eax, %es
        stosl
        END
        TEST "lea through a null ds"
        xorl %eax, %eax
        GO
        movl %eax, %ds
        leal 4(%eax), %ebx
        movl %ss, %eax
        movl %eax, %ds
        NOTE %ebx
        END

# --- the stack segment ---
        TEST "ss: null"
        LOAD_SS 0
        TEST "ss: null with an RPL"
        LOAD_SS 3
        TEST "ss: data"
        SEGMENT A, $0, $0xfffff, $0xc092
        LOAD_SS A
        TEST "ss: read-only data"
        SEGMENT A, $0, $0xfffff, $0xc090
        LOAD_SS A
        TEST "ss: code"
        LOAD_SS KERNEL_CS
        TEST "ss: a TSS"
        LOAD_SS TSS_MAIN
        TEST "ss: absent"
        SEGMENT A, $0, $0xfffff, $0xc012
        LOAD_SS A
        TEST "ss: absent and read-only"
        SEGMENT A, $0, $0xfffff, $0xc010
        LOAD_SS A
        TEST "ss: RPL 3, DPL 0"
        LOAD_SS KERNEL_DS+3
        TEST "ss: RPL 0, DPL 3"
        LOAD_SS USER_DS-3
        TEST "ss: RPL 3, DPL 3"
        LOAD_SS USER_DS
        TEST "ss: beyond the GDT"
        LOAD_SS GDT_BYTES+8

# --- other ways to load ---
        TEST "mov to cs"
        movl $KERNEL_CS, %eax
        GO
        .byte 0x8e, 0xc8
        END
        TEST "mov to segment register 6"
        GO
        .byte 0x8e, 0xf0
        END
        TEST "mov from segment register 7"
        GO
        .byte 0x8c, 0xf8
        END
        TEST "mov from ds to a register of 32 bits"
        movl $-1, %eax
        GO
        movl %ds, %eax
        NOTE %eax
        END
        TEST "mov from ds to a register of 16 bits"
        movl $-1, %eax
        GO
        movw %ds, %ax
        NOTE %eax
        END
        TEST "mov from ds to memory stores 16 bits"
        movl $-1, scratch
        GO
        .byte 0x8c, 0x1d                # with an operand size of 32 bits
        .long scratch
        NOTE scratch
        END
        TEST "pop ds: a bad selector leaves ESP"
        pushl $TSS_MAIN
        GO
        popl %ds
        END
        TEST "pop ds takes the low half of 4 bytes"
        pushl $0x12340000 + USER_DS
        GO
        popl %ds
        NOTE %esp
        subl $0, (%esp)
        END
        TEST "lds: a bad selector leaves the register"
        movl $0x12345678, %ebx
        movl $1, scratch
        movw $TSS_MAIN, scratch + 4
        GO
        ldsl scratch, %ebx
        END
        TEST "what was in the register"
        NOTE %ebx
        GO
        END
        TEST "les"
        movl $0x12345678, scratch
        movw $KERNEL_DS, scratch + 4
        GO
        lesl scratch, %ebx
        movl %es, %eax
        NOTE %eax
        NOTE %ebx
        END
        TEST "lfs of 16 bits"
        movl $(KERNEL_DS << 16) + 0x1234, scratch
        movl $-1, %ebx
        GO
        lfsw scratch, %bx
        movl %fs, %eax
        NOTE %eax
        NOTE %ebx
        END
        TEST "lgs: null"
        movl $0, scratch + 4
        GO
        lgsl scratch, %ebx
        movl %gs, %eax
        NOTE %eax
        END
        TEST "lss: null leaves ESP"
        movl $0, scratch + 4
        GO
        lssl scratch, %esp
        END
        TEST "lss: absent"
        SEGMENT A, $0, $0xfffff, $0xc012
        movl $A, scratch + 4
        GO
        lssl scratch, %esp
        END
        TEST "lds of a register"
        GO
        .byte 0xc5, 0xc0
        END

# --- at CPL 3 ---
        TEST "CPL 3, ds: RPL 0, DPL 0"
        USER
        movl $KERNEL_DS, %eax
        movl %eax, %ds
        USER_END
        TEST "CPL 3, ds: RPL 3, DPL 0"
        USER
        movl $KERNEL_DS + 3, %eax
        movl %eax, %ds
        USER_END
        TEST "CPL 3, ds: RPL 0, DPL 3"
        USER
        movl $USER_DS - 3, %eax
        movl %eax, %ds
        USER_END
        TEST "CPL 3, ds: conforming code of DPL 0 that may be read"
        SEGMENT A, $0, $0xfffff, $0xc09e
        USER
        movl $A, %eax
        movl %eax, %ds
        USER_END
        TEST "CPL 3, ds: code of DPL 0 that may be read"
        USER
        movl $KERNEL_CS, %eax
        movl %eax, %ds
        USER_END
        TEST "CPL 3, ss: DPL 0"
        USER
        movl $KERNEL_DS, %eax
        movl %eax, %ss
        USER_END
        TEST "CPL 3, ss: RPL 0"
        USER
        movl $USER_DS - 3, %eax
        movl %eax, %ss
        USER_END
        TEST "CPL 3, ss: null"
        USER
        movl $3, %eax
        movl %eax, %ss
        USER_END
        ret
