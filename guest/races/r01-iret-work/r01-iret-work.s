# R1: an event between clearing the mask and IRET sets work that the return path has already looked for.

        .include "race.inc"
        RACE "r01-iret-work"
        .include "hypervisor.inc"

LABEL race
        ENTER_GUEST guest_main

LABEL guest_main
        PUSH_USER_FRAME user, user_stack_top
        iretl

LABEL user
        nop
LABEL race_begin
        nop
        int $VECTOR_SYSCALL
LABEL user_back
        cmpl $0, need_resched           # whoever enters user mode has seen to it
        jne lost
LABEL race_end
        OK
LABEL lost
        BROKEN "user mode was entered with need_resched set"

        GATE VECTOR_SYSCALL, system_call, TRAP_GATE+FROM_USER, GUEST_CS
LABEL system_call
        nop
LABEL kernel_exit
        movb $1, vcpu_mask
LABEL exit_test
        cmpl $0, need_resched
        jne work
LABEL kernel_iret
        movb $0, vcpu_mask
LABEL critical
        cmpb $0, vcpu_pending
        je kernel_iret_iret
        movb $1, vcpu_mask
        jmp guest_event
LABEL kernel_iret_iret
        iretl
LABEL critical_end

work:   movl $0, need_resched
        jmp kernel_exit
LABEL guest_event
        .if RIGHT
        # One that comes within the return path takes the place of its frame: the frame that is being left
        # is then the event's.
        pushl %eax
        movl 4(%esp), %eax
        cmpl $critical, %eax
        jb 1f
        cmpl $critical_end, %eax
        jae 1f
        popl %eax
        addl $12, %esp
        pushl %eax
1:      popl %eax
        .endif
        movb $0, vcpu_pending
        movl $1, need_resched
        # To user mode by way of the test; to the kernel at once, which tests on its own way out.
        pushl %eax
        movl 8(%esp), %eax
        andl $3, %eax
        cmpl $3, %eax
        popl %eax
        je kernel_exit
        jmp kernel_iret

        .data
VARIABLE need_resched
        .long 0
