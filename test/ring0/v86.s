# Virtual-8086 mode: the way in and out, what IOPL allows, and what is no instruction there.
# Intel SDM vol. 3B chapter 20.

        .include "v86.inc"

        OPEN = SPARE + 32

test_main:
        TEST "in, and out by INT: EFLAGS, CS, EIP, SS, ESP, ES, DS, FS, GS pushed"
        VECTOR 0x31, KERNEL_CS, note_frame, 0xee
        V86 IOPL3
        movw $0x1234, %ax
        movw %ax, %gs
        int $0x31
        V86_END
        TEST "in the handler: ds, es, fs, gs, VM, CPL, ESP"
        VECTOR 0x31, KERNEL_CS, note_segments, 0xee
        V86 IOPL3
        int $0x31
        V86_END
        TEST "back by IRET: ax, cs, ds"
        VECTOR 0x31, KERNEL_CS, just_return, 0xee
        V86 IOPL3
        movw $0x1234, %ax
        int $0x31
        movw %ds, %bx
        int $0x31
        V86_END
        TEST "what it left in EAX and EBX"
        movl $0x55555555, %eax
        movl %eax, %ebx
        VECTOR 0x31, KERNEL_CS, note_eax_ebx, 0xee
        V86 IOPL3
        movw $0x1234, %ax
        movw %ds, %bx
        int $0x31
        V86_END

# --- IOPL below 3 ---
        V86_FAULTS "cli, IOPL 0", 0, cli
        V86_FAULTS "sti, IOPL 2", 0x2000, sti
        V86_FAULTS "pushf, IOPL 0", 0, pushf
        V86_FAULTS "popf, IOPL 2", 0x2000, popf
        V86_FAULTS "iret, IOPL 0", 0, iret
        V86_FAULTS "int, IOPL 0", 0, int $0x31
        V86_FAULTS "int3, IOPL 0, gate of DPL 0", 0, int3
        TEST "int3, IOPL 0, gate of DPL 3"
        VECTOR 3, KERNEL_CS, note_return, 0xee
        V86
        int3
        V86_TRAP
        TEST "into, IOPL 0, gate of DPL 3"
        VECTOR 4, KERNEL_CS, note_return, 0xee
        V86 0x800
        into
        V86_TRAP
        V86_FAULTS "hlt", IOPL3, hlt
        TEST "in, IOPL 3: the bit map counts"
        V86 IOPL3
        inb $0x80, %al
        V86_TRAP
        TEST "in, a clear bit"
        SEGMENT TSS_MAIN, $tss, $0x80, $0x89
        movl $TSS_MAIN, %eax
        ltr %ax
        V86
        inb $0x10, %al
        V86_TRAP

# --- IOPL 3 ---
        TEST "IOPL 3: pushf, popf, cli and sti"
        VECTOR 0x31, KERNEL_CS, note_eax_ebx, 0xee
        V86 IOPL3
        xorl %eax, %eax
        xorl %ebx, %ebx
        sti
        pushf
        popw %ax
        cli
        pushf
        popw %bx
        int $0x31
        V86_END
        TEST "IOPL 3: popf leaves IOPL"
        VECTOR 0x31, KERNEL_CS, note_eax_ebx, 0xee
        V86 IOPL3
        xorl %eax, %eax
        xorl %ebx, %ebx
        pushw $0x0ad7
        popf
        pushf
        popw %ax
        int $0x31
        V86_END
        TEST "IOPL 3: iret"
        VECTOR 0x31, KERNEL_CS, note_eax_ebx, 0xee
        V86 IOPL3
        xorl %eax, %eax
        xorl %ebx, %ebx
        pushw $0x0002
        pushw $SEGMENT_8086
        pushw $1f - 84b
        iret
1:      pushf
        popw %ax
        int $0x31
        V86_END
        TEST "far call and retf: cs, sp"
        VECTOR 0x31, KERNEL_CS, note_eax_ebx, 0xee
        V86 IOPL3
        xorl %eax, %eax
        xorl %ebx, %ebx
        lcall $SEGMENT_8086 - 1, $1f - 84b + 16
        movw %sp, %bx
        int $0x31
1:      movw %cs, %ax
        lret
        V86_END

# --- segments of 64 KiB ---
        V86_FAULTS "2 bytes at FFFFh", 0, movw 0xffff, %ax
        V86_FAULTS "1 byte at FFFFh", 0, movb 0xffff, %al
        V86_FAULTS "beyond FFFFh", 0, .byte 0x67, 0xa0, 0x00, 0x00, 0x01, 0x00
        V86_FAULTS "beyond FFFFh through ss", 0, .byte 0x36, 0x67, 0xa0, 0x00, 0x00, 0x01, 0x00
        V86_FAULTS "write through cs", 0, movw %ax, %cs:0x100
        TEST "base and selector: linear = 16 * selector + offset"
        movl $0x1234, 0x7105
        VECTOR 0x31, KERNEL_CS, note_eax_ebx, 0xee
        V86 IOPL3
        xorl %eax, %eax
        xorl %ebx, %ebx
        movw $0x6ff, %bx
        movw %bx, %es
        movw %es:0x115, %ax
        int $0x31
        V86_END

# --- no instructions there ---
        V86_FAULTS "sldt", IOPL3, sldt %ax
        V86_FAULTS "str", IOPL3, str %ax
        V86_FAULTS "lldt", IOPL3, lldt %ax
        V86_FAULTS "ltr", IOPL3, ltr %ax
        V86_FAULTS "verr", IOPL3, verr %ax
        V86_FAULTS "lar", IOPL3, lar %ax, %bx
        V86_FAULTS "lsl", IOPL3, lsl %ax, %bx
        V86_FAULTS "arpl", IOPL3, .byte 0x63, 0xc0
        V86_FAULTS "lgdt", IOPL3, lgdt 0
        V86_FAULTS "mov from CR0", IOPL3, movl %cr0, %eax
        V86_FAULTS "clts", IOPL3, clts
        V86_FAULTS "sgdt is one", IOPL3, sgdt 0x200
        V86_FAULTS "smsw is one", IOPL3, smsw %ax

# --- gates that don't lead to CPL 0 ---
        TEST "int through a gate to CPL 1"
        SEGMENT CODE1, $0, $0xfffff, $0xc0ba
        VECTOR 0x31, CODE1, just_return, 0xee
        V86 IOPL3
        int $0x31
        V86_END
        TEST "int through a gate to conforming code"
        SEGMENT OPEN, $0, $0xfffff, $0xc09e
        VECTOR 0x31, OPEN, just_return, 0xee
        V86 IOPL3
        int $0x31
        V86_END
        TEST "int through a gate of DPL 0"
        VECTOR 0x31, KERNEL_CS, just_return, 0x8e
        V86 IOPL3
        int $0x31
        V86_END
        TEST "iretl to VM at CPL 3 ignores VM"
        USER
        pushl $VM + 2
        pushl $USER_CS
        pushl $1f
        iretl
1:      pushfl
        popl %eax
        NOTE %eax
        USER_END
        TEST "iretl to an EIP beyond FFFFh"
        GO
        pushl $SEGMENT_8086
        pushl $SEGMENT_8086
        pushl $SEGMENT_8086
        pushl $SEGMENT_8086
        pushl $STACK >> 4
        pushl $0x800
        pushl $VM | 2
        pushl $SEGMENT_8086
        pushl $0x10000
        movl %esp, test_stack
        iretl
        END
        ret

note_segments:
        movl %ds, %eax
        movl %es, %ebx
        movl %fs, %ecx
        movl %gs, %edx
        movl $USER_DS, %edi
        movl %edi, %ds
        NOTE %eax
        NOTE %ebx
        NOTE %ecx
        NOTE %edx
        pushfl
        popl %eax
        andl $VM, %eax
        NOTE %eax
        movl %cs, %eax
        NOTE %eax
        movl %esp, %eax
        subl $inner_stack_top, %eax
        NOTE %eax
        jmp finish

# Where a trap returns to.
note_return:
        movl $USER_DS, %ecx
        movl %ecx, %ds
        NOTE (%esp)
        jmp finish

