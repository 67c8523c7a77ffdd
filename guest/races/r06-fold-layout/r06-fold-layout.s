# R6: an event that comes within the return path is folded into the frame that is being left, by code
# that knows how many registers lie between.

        .include "race.inc"
        RACE "r06-fold-layout"
        .include "hypervisor.inc"

# What SAVE_ALL pushes, in words.
        SAVED = 5
        .if RIGHT
        FOLDED = SAVED
        .else
        FOLDED = SAVED - 1              # as it was before EBP was saved too
        .endif

        .macro SAVE_ALL
        pushl %ebp
        pushl %eax
        pushl %edx
        pushl %ecx
        pushl %ebx
        .endm

        .macro RESTORE_ALL
        popl %ebx
        popl %ecx
        popl %edx
        popl %eax
        popl %ebp
        .endm

LABEL race
        ENTER_GUEST guest_main

LABEL guest_main
        PUSH_USER_FRAME user, user_stack_top
        iretl

LABEL user
        movl $0x0a0a0a0a, %eax
        movl $0x0b0b0b0b, %ebx
        movl $0x0c0c0c0c, %ecx
        movl $0x0d0d0d0d, %edx
        movl $0x0e0e0e0e, %ebp
LABEL race_begin
        nop
        int $VECTOR_SYSCALL
LABEL user_back
        nop
LABEL race_end
        cmpl $0x0a0a0a0a, %eax
        jne changed
        cmpl $0x0b0b0b0b, %ebx
        jne changed
        cmpl $0x0c0c0c0c, %ecx
        jne changed
        cmpl $0x0d0d0d0d, %edx
        jne changed
        cmpl $0x0e0e0e0e, %ebp
        jne changed
        OK
LABEL changed
        BROKEN "the user's registers have changed"

        GATE VECTOR_SYSCALL, system_call, TRAP_GATE+FROM_USER, GUEST_CS
LABEL system_call
        SAVE_ALL
LABEL serving
        nop
LABEL kernel_exit
        movb $1, vcpu_mask
LABEL restore_all
        RESTORE_ALL
LABEL kernel_iret
        movb $0, %ss:vcpu_mask
# From here on an event finds nothing on the stack but the frame that is being left.
LABEL critical
        cmpb $0, %ss:vcpu_pending
        je kernel_iret_iret
        movb $1, %ss:vcpu_mask
        jmp guest_event
LABEL kernel_iret_iret
        iretl
LABEL critical_end

LABEL guest_event
        SAVE_ALL
        movl SAVED * 4(%esp), %eax      # where it came
        cmpl $critical, %eax
        jb 1f
        cmpl $critical_end, %eax
        jae 1f
        # The three words of its frame go: what was saved moves up to the frame that was being left.
        movl $FOLDED, %ecx
2:      movl -4(%esp,%ecx,4), %eax
        movl %eax, 8(%esp,%ecx,4)
        decl %ecx
        jnz 2b
        addl $12, %esp
1:      movb $0, vcpu_pending
        jmp kernel_exit
