# Privileged instructions and the I/O permission bit map. Intel SDM vol. 3A §5.9; vol. 1 §18.5.

        .include "ring0.inc"

        B = SPARE
        A = SPARE + 8
        CODE1 = SPARE + 48
        DATA1 = SPARE + 56

# The bytes of the I/O permission bit map, at offset 68h of the TSS, and its limit.
        .macro MAP limit, bytes
        SEGMENT TSS_MAIN, $tss, $\limit, $0x89
        movl $TSS_MAIN, %eax
        ltr %ax
        movl $\bytes, tss + 0x68
        movl $-1, tss + 0x6c
        .endm

test_main:
# --- privileged instructions ---
        USER_FAULTS "hlt", hlt
        USER_FAULTS "clts", clts
        USER_FAULTS "lmsw", lmsw %ax
        USER_FAULTS "mov to CR0", movl %eax, %cr0
        USER_FAULTS "mov from CR0", movl %cr0, %eax
        USER_FAULTS "mov to CR3", movl %eax, %cr3
        USER_FAULTS "mov from CR4", movl %cr4, %eax
        USER_FAULTS "mov from CR1", .byte 0x0f, 0x20, 0xc8
        USER_FAULTS "rdmsr", rdmsr
        USER_FAULTS "wrmsr", wrmsr
        USER_FAULTS "invd", invd
        USER_FAULTS "wbinvd", wbinvd
        USER_FAULTS "sysexit", sysexit
        USER_FAULTS "in", inb $0x80, %al
        USER_FAULTS "out", outb %al, $0x80
        TEST "CPL 3, insb"
        USER
        movl $scratch, %edi
        movl $0x80, %edx
        insb
        USER_END
        TEST "CPL 3, rep outsb that counts 0"
        USER
        movl $scratch, %esi
        xorl %ecx, %ecx
        rep outsb
        USER_END
        TEST "CPL 1, hlt"
        SEGMENT CODE1, $0, $0xfffff, $0xc0ba
        SEGMENT DATA1, $0, $0xfffff, $0xc0b2
        GO
        movl $9f, test_start
        pushl $DATA1 + 1
        pushl $user_stack_top
        pushl $2
        pushl $CODE1 + 1
        pushl $9f
        iretl
9:      hlt
        END
        USER_FAULTS "rdtsc", rdtsc
        TEST "CPL 3, rdtsc with CR4.TSD"
        movl %cr4, %eax
        orl $4, %eax
        movl %eax, %cr4
        USER
        rdtsc
        USER_END
        TEST "CPL 3, rdpmc without CR4.PCE"
        movl %cr4, %eax
        andl $~4, %eax
        movl %eax, %cr4
        USER
        xorl %ecx, %ecx
        rdpmc
        USER_END
        TEST "rdmsr of an MSR that there isn't"
        movl $0x12345678, %ecx
        GO
        rdmsr
        END
        TEST "wrmsr of an MSR that there isn't"
        movl $0x12345678, %ecx
        GO
        wrmsr
        END

# --- the I/O permission bit map: ports 0 to 1Fh ---
        TEST "ports of clear bits"
        MAP 0x6f, 0
        USER
        inb $3, %al
        inw $6, %ax
        inl $0x10, %eax
        USER_END
        TEST "a port whose bit is set"
        MAP 0x6f, 0x80
        USER
        inb $6, %al
        inb $7, %al
        USER_END
        TEST "two ports, the second's bit is set"
        MAP 0x6f, 0x100
        USER
        inb $7, %al
        inw $7, %ax
        USER_END
        TEST "four ports, the last one's bit is set"
        MAP 0x6f, 0x400
        USER
        inl $6, %eax
        inl $7, %eax
        USER_END
        TEST "out"
        MAP 0x6f, 1
        USER
        outb %al, $0
        USER_END
        TEST "insb"
        MAP 0x6f, 1
        movl $scratch, %edi
        USER
        xorl %edx, %edx
        insb
        USER_END
        TEST "the byte behind the port's is beyond the limit"
        MAP 0x6b, 0
        USER
        inb $0x17, %al
        inb $0x18, %al
        USER_END
        TEST "the map begins beyond the limit"
        MAP 0x67, 0
        USER
        inb $0, %al
        USER_END
        TEST "a 16-bit TSS has no map"
        SEGMENT A, $tss, $0x2b, $0x81
        movw $0x1000, tss + 2
        SEGMENT B, $inner_stack_top-0x1000, $0xffff, $0x4092
        movw $B, tss + 4
        movl $A, %eax
        ltr %ax
        USER
        inb $0, %al
        USER_END
        TEST "IOPL 3 needs no map"
        USER 0x3002
        inb $0x80, %al
        USER_END
        TEST "CPL 0 needs no map"
        GO
        inb $0x80, %al
        END
        ret
