# Loading segment registers and descriptor table registers, and asking about descriptors.
# Intel SDM vol. 3A chapters 3 and 5; vol. 2 "MOV", "LDS", "LAR", "LSL", "VERR", "ARPL", "LLDT", "LTR".

        .include "ring0.inc"

        A = SPARE
        B = SPARE + 8
        CONFORMING = SPARE + 16
        LOCAL = 0x0c                    # entry 1 of the LDT

# Loads %ds with a selector at CPL 0, and notes what is in %ds then.
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

# --- LDTR, TR, GDTR, IDTR ---
        TEST "lldt, sldt"
        movl $LDT_MAIN + 3, %eax
        movl $-1, %ebx
        GO
        lldt %ax
        sldt %ebx
        NOTE %ebx
        END
        TEST "lldt: null"
        movl $-1, %ebx
        GO
        lldt scratch + 128
        sldt %bx
        NOTE %ebx
        END
        TEST "lldt: data"
        movl $KERNEL_DS, %eax
        GO
        lldt %ax
        END
        TEST "lldt: a TSS"
        movl $TSS_MAIN, %eax
        GO
        lldt %ax
        END
        TEST "lldt: absent"
        SEGMENT A, $ldt, $0x7f, $0x02
        movl $A, %eax
        GO
        lldt %ax
        END
        TEST "lldt: in the LDT"
        movl $LDT_MAIN, %eax
        lldt %ax
        movl $LOCAL, %eax
        GO
        lldt %ax
        END
        TEST "lldt: beyond the GDT"
        movl $GDT_BYTES, %eax
        GO
        lldt %ax
        END
        TEST "CPL 3, lldt"
        USER
        lldt %ax
        USER_END
        TEST "CPL 3, sldt and str"
        USER
        sldt %eax
        str %ebx
        NOTE %eax
        NOTE %ebx
        USER_END
        TEST "ltr marks the TSS busy"
        SEGMENT A, $tss, $0x67, $0x89
        movl $A, %eax
        GO
        ltr %ax
        str %ebx
        NOTE %ebx
        NOTE gdt + A + 4
        END
        TEST "ltr: 16 bits"
        SEGMENT A, $tss, $0x67, $0x81
        movl $A, %eax
        GO
        ltr %ax
        NOTE gdt + A + 4
        END
        TEST "ltr: busy"
        movl $TSS_MAIN, %eax
        GO
        ltr %ax
        END
        TEST "ltr: null"
        xorl %eax, %eax
        GO
        ltr %ax
        END
        TEST "ltr: an LDT"
        movl $LDT_MAIN, %eax
        GO
        ltr %ax
        END
        TEST "ltr: absent"
        SEGMENT A, $tss, $0x67, $0x09
        movl $A, %eax
        GO
        ltr %ax
        END
        TEST "ltr: in the LDT"
        movl $LDT_MAIN, %eax
        lldt %ax
        movl $LOCAL, %eax
        GO
        ltr %ax
        END
        TEST "CPL 3, ltr"
        USER
        ltr %ax
        USER_END
        TEST "sgdt and sidt"
        GO
        sgdt scratch
        sidt scratch + 8
        movl scratch + 2, %eax
        subl $gdt, %eax
        NOTE %eax
        movzwl scratch, %eax
        NOTE %eax
        movzwl scratch + 8, %eax
        NOTE %eax
        END
        TEST "lgdt of 16 bits takes 24 bits of the base"
        movw $GDT_BYTES - 1, scratch
        movl $gdt + 0xff000000, scratch + 2
        GO
        .byte 0x66
        lgdt scratch
        sgdt scratch + 8
        movl scratch + 10, %eax
        subl $gdt, %eax
        NOTE %eax
        END
        TEST "CPL 3, lgdt"
        USER
        lgdt gdt_pointer
        USER_END
        TEST "CPL 3, lidt"
        USER
        lidt idt_pointer
        USER_END
        TEST "lgdt of a register"
        GO
        .byte 0x0f, 0x01, 0xd0
        END

# --- LAR, LSL, VERR, VERW: for which types, as a mask of 32 bits; bit 16 is S ---
        TEST "lar: types"
        movl $lar_one, %esi
        call all_types
        GO
        END
        TEST "lsl: types"
        movl $lsl_one, %esi
        call all_types
        GO
        END
        TEST "verr: types"
        movl $verr_one, %esi
        call all_types
        GO
        END
        TEST "verw: types"
        movl $verw_one, %esi
        call all_types
        GO
        END
        TEST "lar: what it gives"
        SEGMENT A, $0x12345678, $0xabcde, $0xd0f3
        movl $A, %ecx
        movl $-1, %eax
        movl $-1, %ebx
        GO
        lar %ecx, %eax
        lar %cx, %bx
        NOTE %eax
        NOTE %ebx
        END
        TEST "lar: of an absent segment"
        SEGMENT A, $0, $0, $0x0012
        movl $A, %ecx
        GO
        lar %ecx, %eax
        setz %al
        NOTE %eax
        END
        TEST "lsl: bytes, pages, 16 bits"
        SEGMENT A, $0, $0xabcde, $0x4092
        SEGMENT B, $0, $0xabcde, $0xc092
        movl $A, %ecx
        movl $B, %edx
        movl $-1, %ebx
        GO
        lsl %ecx, %eax
        NOTE %eax
        lsl %edx, %eax
        NOTE %eax
        lsl %dx, %bx
        NOTE %ebx
        END
        TEST "a failed lar and lsl leave the register"
        movl $0x12345678, %eax
        movl $GDT_BYTES, %ecx
        GO
        lar %ecx, %eax
        lsl %ecx, %eax
        NOTE %eax
        END
        TEST "lar, lsl, verr and verw clear ZF for null, and change no other flag"
        xorl %ecx, %ecx
        pushl $0x8d7
        GO
        popfl
        lar %ecx, %eax
        pushfl
        call note
        lsl %ecx, %eax
        pushfl
        call note
        verr %cx
        pushfl
        call note
        verw %cx
        pushfl
        call note
        pushl %eax
        END
        TEST "CPL 3: lar, lsl, verr of DPL 0, and of conforming code"
        SEGMENT A, $0, $0xfffff, $0xc09e
        USER
        movl $KERNEL_DS, %ecx
        call privileged_mask
        movl $A, %ecx
        call privileged_mask
        movl $TSS_MAIN, %ecx
        call privileged_mask
        USER_END
        TEST "RPL 3: lar, lsl, verr of DPL 0, of conforming code, of DPL 3"
        SEGMENT A, $0, $0xfffff, $0xc09e
        movl $KERNEL_DS + 3, %ecx
        GO
        call privileged_mask
        movl $A + 3, %ecx
        call privileged_mask
        movl $USER_DS, %ecx
        call privileged_mask
        END

# --- ARPL ---
        TEST "arpl: raises the RPL and sets ZF"
        movl $0x12340011, %eax
        movl $0xfffe, %ebx
        GO
        arpl %bx, %ax
        setz %cl
        movzbl %cl, %ecx
        NOTE %eax
        NOTE %ecx
        END
        TEST "arpl: leaves an RPL that is high enough"
        movl $0x12340013, %eax
        movl $0xfffe, %ebx
        GO
        arpl %bx, %ax
        setz %cl
        movzbl %cl, %ecx
        NOTE %eax
        NOTE %ecx
        END
        ret

# ECX: a selector. Notes bit 0: LAR, bit 1: LSL, bit 2: VERR, bit 3: VERW.
privileged_mask:
        xorl %ebx, %ebx
        lar %ecx, %eax
        jnz 1f
        orl $1, %ebx
1:      lsl %ecx, %eax
        jnz 1f
        orl $2, %ebx
1:      verr %cx
        jnz 1f
        orl $4, %ebx
1:      verw %cx
        jnz 1f
        orl $8, %ebx
1:      NOTE %ebx
        ret

# ESI: a routine that sets ZF for a type that its instruction takes. Notes the mask of types.
all_types:
        xorl %ebp, %ebp
        xorl %edi, %edi
1:      movl %edi, %eax
        orl $0x80, %eax
        pushl %eax
        pushl $0xff
        pushl $0
        pushl $A
        call set_segment
        movl $A, %ecx
        call *%esi
        jnz 2f
        btsl %edi, %ebp
2:      incl %edi
        cmpl $32, %edi
        jne 1b
        NOTE %ebp
        ret

lar_one:
        lar %ecx, %eax
        ret
lsl_one:
        lsl %ecx, %eax
        ret
verr_one:
        verr %cx
        ret
verw_one:
        verw %cx
        ret
