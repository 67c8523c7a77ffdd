# Exceptions of code in virtual-8086 mode, its ports, its pages, and 32-bit forms there.
# Intel SDM vol. 3B chapter 20.

        .include "v86.inc"

        CODE16 = SPARE + 32
        TF = 0x100

        .macro MAP limit, bytes
        SEGMENT TSS_MAIN, $tss, $\limit, $0x89
        movl $TSS_MAIN, %eax
        ltr %ax
        movl $\bytes, tss + 0x68
        movl $-1, tss + 0x6c
        .endm

# Page 8000h with this entry, read or written from virtual-8086 mode.
        .macro PAGE name, entry, code:vararg
        PAGED "\name"
        movl $0x8000 + \entry, first_table + 32
        invlpg 0x8000
        V86
        movw $0x800, %ax
        movw %ax, %es
        \code
        V86_TRAP
        .endm

test_main:
        V86_FAULTS "aam 0", 0, .byte 0xd4, 0
        V86_FAULTS "ud2", 0, ud2
        V86_FAULTS "int1", 0, .byte 0xf1
        V86_FAULTS "lock nop", 0, .byte 0xf0, 0x90
        V86_FAULTS "16 bytes", 0, .byte 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90
        V86_FAULTS "mov to cs", 0, .byte 0x8e, 0xc8
        TEST "bound"
        movl $0x00020001, PLACE + 0x200
        V86
        xorw %ax, %ax
        boundw %ax, 0x200
        V86_TRAP
        V86_FAULTS "TF", TF, nop
        TEST "TF: behind INT, and behind its IRET's next"
        VECTOR 0x31, KERNEL_CS, just_return, 0xee
        V86 IOPL3|TF
        int $0x31
        nop
        V86_END
        TEST "NM"
        SET_CR0 4
        V86
        fnop
        V86_TRAP
        .irp code, "mov %cr2, %eax", "movl %eax, %dr0", "invlpg 0", "invd", "wbinvd", "rdmsr", "wrmsr", "lidt 0", "lmsw %ax", "sysexit", "movl %eax, %cr4", "hlt"
        V86_FAULTS "\code", IOPL3, \code
        .endr
        .irp code, "sidt 0x200", "cpuid", "rdtsc", "movw %ds, %ax", "xlat", "pushw %es", "lock incw 0x200"
        V86_FAULTS "\code is one", 0, \code
        .endr

# --- what IOPL rules in 32 bits ---
        .irp code, "pushfl", "popfl", "iretl"
        V86_FAULTS "\code, IOPL 0", 0, \code
        .endr
        TEST "pushfl: VM and RF are 0 in what it stores"
        VECTOR 0x31, KERNEL_CS, note_eax_ebx, 0xee
        V86 IOPL3
        xorl %ebx, %ebx
        pushfl
        popl %eax
        int $0x31
        V86_END
        TEST "popfl: AC and NT can be set, VM, IOPL and RF can't be changed"
        VECTOR 0x31, KERNEL_CS, note_eax_ebx, 0xee
        V86 IOPL3
        xorl %ebx, %ebx
        pushl $0x54002
        popfl
        pushfl
        popl %eax
        pushl $2
        popfl
        int $0x31
        V86_END
        TEST "iretl: stays in virtual-8086 mode"
        VECTOR 0x31, KERNEL_CS, note_frame, 0xee
        V86 IOPL3
        pushl $2
        pushl $SEGMENT_8086
        pushl $1f - 84b
        iretl
1:      int $0x31
        V86_END
        TEST "iretl to an EIP beyond FFFFh"
        V86 IOPL3
        pushl $2
        pushl $SEGMENT_8086
        pushl $0x10000
        iretl
        V86_TRAP
        TEST "pop ds, and lds: any selector"
        VECTOR 0x31, KERNEL_CS, note_frame, 0xee
        movl $0xfedc1234, PLACE + 0x200
        V86 IOPL3
        pushw $0x1235
        popw %es
        ldsw 0x200, %bx
        int $0x31
        V86_END

# --- ports: the bit map alone counts ---
        .irp iopl, 0, 0x3000
        TEST "in of a clear bit, of a set one, IOPL bits \iopl"
        MAP 0x6f, 0x80
        V86 \iopl
        inb $6, %al
        inb $7, %al
        V86_TRAP
        TEST "inw across a set bit, IOPL bits \iopl"
        MAP 0x6f, 0x100
        V86 \iopl
        inb $7, %al
        inw $7, %ax
        V86_TRAP
        TEST "outl across a set bit, IOPL bits \iopl"
        MAP 0x6f, 0x400
        V86 \iopl
        outl %eax, $7
        V86_TRAP
        TEST "the byte behind the port's is beyond the limit, IOPL bits \iopl"
        MAP 0x6b, 0
        V86 \iopl
        inb $0x17, %al
        inb $0x18, %al
        V86_TRAP
        .endr
        TEST "insb of a set bit"
        MAP 0x6f, 1
        V86
        xorw %dx, %dx
        insb
        V86_TRAP

# --- pages: virtual-8086 mode is CPL 3 ---
        PAGE "read, no page", 0, movw %es:4, %ax
        PAGE "write, no page", 0, movw %ax, %es:4
        PAGE "read, page of the supervisor", P|W, movw %es:4, %ax
        PAGE "write, page of the supervisor", P|W, movw %ax, %es:4
        PAGE "write, read-only page", P|U, movw %ax, %es:4
        PAGE "read, read-only page", P|U, movw %es:4, %ax
        PAGE "far jump to no page", 0, ljmp $0x800, $0x10

# --- gates ---
        TEST "through a 16-bit gate: GS to IP in words"
        SEGMENT CODE16, $note_words, $0xfffff, $0xc09a
        VECTOR 0x31, CODE16, 0, 0xe6
        V86 IOPL3
        movw $0x1234, %ax
        movw %ax, %gs
        int $0x31
        V86_END
        TEST "through a trap gate: IF, TF, NT and VM of the handler"
        VECTOR 0x31, KERNEL_CS, note_flags, 0xef
        V86 IOPL3|0x4200
        int $0x31
        V86_END
        TEST "through an interrupt gate: the same"
        VECTOR 0x31, KERNEL_CS, note_flags, 0xee
        V86 IOPL3|0x4200
        int $0x31
        V86_END
        TEST "int through an absent gate"
        VECTOR 0x31, KERNEL_CS, finish, 0x6e
        V86 IOPL3
        int $0x31
        V86_END
        TEST "sysenter: EFLAGS, CS"
        movl $0x174, %ecx
        movl $KERNEL_CS, %eax
        xorl %edx, %edx
        wrmsr
        incl %ecx
        movl $inner_stack_top, %eax
        wrmsr
        incl %ecx
        movl $entered, %eax
        wrmsr
        V86
        sysenter
        V86_TRAP
        ret

# At offset 0 of CODE16, which is 32 bits wide.
note_words:
        movl %esp, %ebp
        movl $USER_DS, %eax
        movl %eax, %ds
        .irp offset, 0, 2, 4, 6, 8, 10, 12, 14, 16
        movzwl \offset(%ebp), %eax
        NOTE %eax
        .endr
        movl %esp, %eax
        subl $inner_stack_top, %eax
        NOTE %eax
        ljmp $KERNEL_CS, $finish

note_flags:
        pushfl
        popl %eax
        movl $USER_DS, %ecx
        movl %ecx, %ds
        NOTE %eax
        jmp finish

entered:
        pushfl
        popl %eax
        movl $USER_DS, %ecx
        movl %ecx, %ds
        NOTE %eax
        movl %cs, %eax
        NOTE %eax
        jmp finish
