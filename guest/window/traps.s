# What the kernel does about exceptions: the fixup table, signals, lazy FPU state, and lost work.

        .text
# EDX: the vector, EBP: the frame. Interrupts are closed, so CR2 is still this fault's.
# In the kernel: continues at the fixup of the instruction, or gives up. From user mode: a signal.
FUNCTION do_trap
        movl current, %esi
        movl %edx, %edi
        movl %edx, TASK_SIGNAL_VECTOR(%esi)
        movl FRAME_ERROR(%ebp), %eax
        movl %eax, TASK_SIGNAL_ERROR(%esi)
        movl $0, TASK_SIGNAL_ADDRESS(%esi)
        cmpl $VECTOR_DB, %edi
        jne 1f
        # Which of the registers for breakpoints it was stands for an error code.
        GET_DR 6
        andl $15, %eax
        movl %eax, TASK_SIGNAL_ERROR(%esi)
        xorl %edx, %edx
        SET_DR 6
        incl watches
1:      cmpl $VECTOR_PF, %edi
        jne 1f
        GET_CR2
        movl %eax, TASK_SIGNAL_ADDRESS(%esi)
1:
        testb $USER_RPL, FRAME_CS(%ebp)
        jz search_fixup
        movb $1, signal_pending
        incl user_faults
        ret
LABEL search_fixup
        movl FRAME_EIP(%ebp), %eax
        movl $ex_table, %ebx
2:      cmpl $ex_table_end, %ebx
        jae no_fixup
        cmpl %eax, (%ebx)
        je 3f
        addl $8, %ebx
        jmp 2b
3:      movl 4(%ebx), %eax
        movl %eax, FRAME_EIP(%ebp)
        ret
LABEL no_fixup
        PRINT text_oops
        movl %edi, %eax
        call print_decimal
        PRINT text_oops_error
        movl FRAME_ERROR(%ebp), %eax
        call print_hex
        PRINT text_oops_eip
        movl FRAME_EIP(%ebp), %eax
        call print_hex
        call print_newline
        movl $text_no_fixup, %eax
        jmp fail

# EBP: the frame that IRET could not load. What do_trap noted about the fault becomes the task's
# signal; the frame is repaired, since the way to the handler leads through the same IRET.
FUNCTION do_iret_error
        incl iret_fixups
        movl $USER_CS, FRAME_CS(%ebp)
        cmpl $USER_SS16, FRAME_SS(%ebp)
        je 1f
        movl $USER_DS, FRAME_SS(%ebp)
        jmp 2f
1:      incl iret16_fixups
2:      movb $1, signal_pending
        ret

# EBP: the frame of a task that is about to enter user mode; interrupts are closed. It continues at
# its handler with EAX = vector, EDX = error code, ECX = CR2 of a page fault or 0.
FUNCTION do_signal
        movl current, %esi
        movb $0, signal_pending
        incl TASK_SIGNALS(%esi)
        movl TASK_HANDLER(%esi), %eax
        testl %eax, %eax
        jz 1f
        movl %eax, FRAME_EIP(%ebp)
        movl TASK_SIGNAL_VECTOR(%esi), %eax
        movl %eax, FRAME_EAX(%ebp)
        movl TASK_SIGNAL_ERROR(%esi), %eax
        movl %eax, FRAME_EDX(%ebp)
        movl TASK_SIGNAL_ADDRESS(%esi), %eax
        movl %eax, FRAME_ECX(%ebp)
        ret
1:      movl $text_no_handler, %eax
        jmp fail

# Hands the FPU to the running task. There is no state to move: what is tested is that CR0.TS traps
# whoever is not the owner, and only them.
FUNCTION math_state_restore
        CLTS
        movl current, %eax
        movl %eax, fpu_owner
        incl fpu_traps
        ret

# ECX: where the kernel was entered. A task was in user mode with work pending: an exit let it pass
# between its test and user mode. Says who set the flag, and ends the run.
FUNCTION lost_work
        movl %ecx, %edi
        PRINT text_lost
        movl current, %esi
        movl TASK_NAME(%esi), %eax
        call print_char
        PRINT text_lost_tick
        movl resched_tick, %eax
        call print_decimal
        PRINT text_lost_at
        movl resched_cs, %eax
        call print_hex16
        movl $':', %eax
        call print_char
        movl resched_eip, %eax
        call print_hex
        PRINT text_lost_seen
        movl %edi, %eax
        call print
        call print_newline
        movb $EXIT_LOST_WORK, %al
        jmp exit

# EBX: EFLAGS, ECX: CS, EDX: EIP, of the frame on the 16-bit stack.
FUNCTION wrong_stack
        movl $KERNEL_DS, %eax
        movl %eax, %ds
        movl %eax, %es
        PRINT text_wrong_stack
        movl %ecx, %eax
        call print_hex16
        movl $':', %eax
        call print_char
        movl %edx, %eax
        call print_hex
        PRINT text_wrong_stack_flags
        movl %ebx, %eax
        call print_hex
        call print_newline
        movb $EXIT_WRONG_STACK, %al
        jmp exit

# EAX: why the kernel gives up.
FUNCTION fail
        movl %eax, %ebx
        PRINT text_failed
        movl %ebx, %eax
        call print
        call print_newline
        movb $EXIT_FAILED, %al
# AL: the byte that ends the run.
FUNCTION exit
        outb %al, $PORT_EXIT
1:      CLI
        hlt
        jmp 1b

        .section .rodata
text_oops: .asciz "exception "
text_oops_error: .asciz " in the kernel, error code "
text_oops_eip: .asciz ", EIP "
text_no_fixup: .asciz "the instruction has no fixup"
text_no_handler: .asciz "signal for a task without a handler"
text_failed: .asciz "FAILED: "
text_wrong_stack: .asciz "WRONG STACK: IRQ 0 on the kernel's 16-bit stack, at "
text_wrong_stack_flags: .asciz ", EFLAGS "
text_lost: .asciz "LOST WORK: task "
text_lost_tick: .asciz " entered user mode with need_resched set, by tick "
text_lost_at: .asciz " at "
text_lost_seen: .asciz "; seen at "

        .data
        .balign 4
VARIABLE fpu_owner, 4
        .long 0
VARIABLE fpu_traps, 4
        .long 0
VARIABLE iret_fixups, 4
        .long 0
VARIABLE iret16_fixups, 4
        .long 0
VARIABLE user_faults, 4
        .long 0
VARIABLE watches, 4
        .long 0
