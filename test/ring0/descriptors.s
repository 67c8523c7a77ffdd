# Descriptor table registers, and instructions that ask about descriptors.
# Intel SDM vol. 3A §2.4, §5.10; vol. 2 "LAR", "LSL", "VERR", "ARPL", "LLDT", "LTR".

        .include "ring0.inc"

        A = SPARE
        B = SPARE + 8
        LOCAL = 0x0c                    # entry 1 of the LDT

# Which types an instruction takes: access holds P and DPL.
        .macro TYPES name, what, access, rpl
        TEST "\name, \what: types"
        movl $\name\()_one, %esi
        movl $\access, %edx
        movl $A + \rpl, %ebx
        GO
        call all_types
        END
        .endm

        .macro USER_TYPES name, what, access, rpl
        TEST "CPL 3, \name, \what: types"
        movl $\name\()_one, %esi
        movl $\access, %edx
        movl $A + \rpl, %ebx
        USER
        call all_types
        USER_END
        .endm

test_main:
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
        .irp name, lar, lsl, verr, verw
        TYPES \name, "present, DPL 0", 0x80, 0
        TYPES \name, "absent, DPL 0", 0, 0
        TYPES \name, "RPL 1, DPL 0", 0x80, 1
        TYPES \name, "RPL 3, DPL 2", 0xc0, 3
        TYPES \name, "RPL 3, DPL 3", 0xe0, 3
        USER_TYPES \name, "DPL 0", 0x80, 0
        USER_TYPES \name, "DPL 2, RPL 3", 0xc0, 3
        USER_TYPES \name, "DPL 3", 0xe0, 0
        USER_TYPES \name, "DPL 3, RPL 3, absent", 0x60, 3
        .endr
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

# ESI: a routine that sets ZF for a type that its instruction takes, given the selector in EBX; EDX: P and
# DPL. Notes the mask of types.
all_types:
        xorl %ebp, %ebp
        xorl %edi, %edi
1:      movl %edi, %eax
        orl %edx, %eax
        pushl %eax
        pushl $0xff
        pushl $0
        pushl $A
        call set_segment
        movl %ebx, %ecx
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
