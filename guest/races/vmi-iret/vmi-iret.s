# The race that the VMI's IRET call was made for: virtual IF is set, then the frame is popped. The same
# image is wrong under --vmi-iret naive and right under the other schemes.

        .include "race.inc"
        RACE "vmi-iret"
        .include "vmi.inc"

LABEL race
        PUSH_USER_FRAME user, user_stack_top
LABEL first_iret
        IRET

LABEL user
        nop
LABEL race_begin
        nop
        int $VECTOR_SYSCALL
        jmp user_back

        GATE VECTOR_SYSCALL, system_call, INTERRUPT_GATE+FROM_USER
LABEL system_call
        nop
LABEL system_call_sti
        STI
LABEL syscall_exit
        CLI
LABEL exit_test
        cmpl $0, need_resched
        jne work
LABEL restore_iret
        IRET
work:   movl $0, need_resched
        jmp syscall_exit
