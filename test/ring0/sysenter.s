# SYSENTER and SYSEXIT. Intel SDM vol. 3A §5.8.7.

        .include "ring0.inc"

        FLAT = SPARE + 16               # four flat segments

        SYSENTER_CS = 0x174
        SYSENTER_ESP = 0x175
        SYSENTER_EIP = 0x176

        .macro WRITE_MSR number, value
        movl $\number, %ecx
        movl $\value, %eax
        xorl %edx, %edx
        wrmsr
        .endm

test_main:
        .macro FLAT_SEGMENTS
        SEGMENT FLAT, $0, $0xfffff, $0xc09b
        SEGMENT FLAT+8, $0, $0xfffff, $0xc093
        SEGMENT FLAT+16, $0, $0xfffff, $0xc0fb
        SEGMENT FLAT+24, $0, $0xfffff, $0xc0f3
        WRITE_MSR SYSENTER_CS, FLAT
        WRITE_MSR SYSENTER_ESP, inner_stack_top
        WRITE_MSR SYSENTER_EIP, entered
        .endm
        TEST "sysenter: CS, SS, ESP, EFLAGS"
        FLAT_SEGMENTS
        USER 0x0cd7
        sysenter
89:
        TEST "sysenter clears IF and keeps IOPL"
        FLAT_SEGMENTS
        USER 0x3202
        sysenter
89:
        TEST "sysenter at CPL 0"
        FLAT_SEGMENTS
        GO
        sysenter
89:
        TEST "sysenter: IA32_SYSENTER_CS is null"
        FLAT_SEGMENTS
        WRITE_MSR SYSENTER_CS, 3
        USER
        sysenter
        USER_END
        TEST "sysenter: the RPL of the MSR is of no account"
        FLAT_SEGMENTS
        WRITE_MSR SYSENTER_CS, FLAT+3
        USER
        sysenter
89:
        TEST "sysenter reads no descriptors"
        FLAT_SEGMENTS
        WRITE_MSR SYSENTER_CS, 0x1000
        USER
        sysenter
89:
        TEST "rdmsr of what was written"
        FLAT_SEGMENTS
        movl $SYSENTER_CS, %ecx
        GO
        rdmsr
        NOTE %eax
        NOTE %edx
        END
        TEST "sysexit: CS, SS, ESP at CPL 3"
        FLAT_SEGMENTS
        GO
        movl $user_stack_top, %ecx
        movl $exited, %edx
        sysexit
89:
        TEST "sysexit: IA32_SYSENTER_CS is null"
        FLAT_SEGMENTS
        WRITE_MSR SYSENTER_CS, 0
        GO
        sysexit
        END
        TEST "sysexit keeps EFLAGS"
        FLAT_SEGMENTS
        GO
        pushl $0x3cd7
        popfl
        movl $user_stack_top, %ecx
        movl $exited_flags, %edx
        sysexit
89:
        ret

entered:
        pushfl
        popl %ebx
        movl %cs, %eax
        NOTE %eax
        movl %ss, %eax
        NOTE %eax
        movl %esp, %eax
        subl $inner_stack_top, %eax
        NOTE %eax
        NOTE %ebx
        ljmp $KERNEL_CS, $finish

exited: movl %cs, %eax
        NOTE %eax
        movl %ss, %eax
        NOTE %eax
        movl %esp, %eax
        subl $user_stack_top, %eax
        NOTE %eax
        int $0x30

exited_flags:
        pushfl
        popl %eax
        NOTE %eax
        int $0x30
