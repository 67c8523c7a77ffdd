# R9: a hypervisor's EnableInterrupts has no shadow, so STI and SYSEXIT must be one call.

        .include "race.inc"
        RACE "r09-sti-sysexit"
        .include "vmi.inc"

        MSR_SYSENTER_CS = 0x174
        MSR_SYSENTER_ESP = 0x175
        MSR_SYSENTER_EIP = 0x176

        .macro SET_MSR number, value
        movl $\number, %ecx
        movl $\value, %eax
        xorl %edx, %edx
        WRMSR
        .endm

LABEL race
        SET_MSR MSR_SYSENTER_CS, KERNEL_CS
        SET_MSR MSR_SYSENTER_ESP, kernel_stack_top
        SET_MSR MSR_SYSENTER_EIP, sysenter_entry
        PUSH_USER_FRAME user, user_stack_top
LABEL first_iret
        IRET

LABEL user
        movl %esp, %ecx
        movl $user_back, %edx
LABEL race_begin
        nop
        sysenter

LABEL sysenter_entry
        nop
LABEL sysenter_sti
        STI
LABEL sysenter_exit
        CLI
LABEL exit_test
        cmpl $0, need_resched
        jne work
        .if RIGHT
        STI_SYSEXIT
        .else
LABEL exit_sti
        STI
LABEL exit_sysexit
        sysexit
        .endif
work:   movl $0, need_resched
        jmp sysenter_exit
