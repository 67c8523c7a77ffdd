# System calls. EBX and ESI are arguments, EBP is the frame, EAX is the result; interrupts are open,
# and any register may change.

        .section .rodata
        .balign 4
sys_call_table:
        .long sys_mix, sys_count, sys_yield, sys_sleep, sys_peek
        .long sys_on_signal, sys_bad_frame, sys_report, sys_exit, sys_fail

        .macro SYSTEM_CALL name
FUNCTION \name
        movl current, %edi
        incl TASK_CALLS(%edi)
        .endm

        .text
        SYSTEM_CALL sys_mix
        roll $5, %ebx
        leal (%ebx,%esi), %eax
        ret

        SYSTEM_CALL sys_count
        movl TASK_CALLS(%edi), %eax
        ret

        SYSTEM_CALL sys_yield
        call schedule
        xorl %eax, %eax
        ret

        SYSTEM_CALL sys_sleep
        # No tick may come between here and schedule(): it could wake a task that does not sleep yet.
        CLI
        addl ticks, %ebx
        movl %ebx, TASK_WAKE(%edi)
        movl $STATE_SLEEPING, TASK_STATE(%edi)
        call schedule
        STI
        xorl %eax, %eax
        ret

        SYSTEM_CALL sys_peek
LABEL peek_user
        movzbl (%ebx), %eax
        ret
        FIXUP peek_user, peek_fault
        .pushsection .fixup, "ax"
LABEL peek_fault
        movl $EFAULT, %eax
        ret
        .popsection

        SYSTEM_CALL sys_on_signal
        movl %ebx, TASK_HANDLER(%edi)
        xorl %eax, %eax
        ret

        SYSTEM_CALL sys_bad_frame
        cmpl $BAD_CS_ABSENT, %ebx
        jne 1f
        movl $ABSENT_CS, FRAME_CS(%ebp)
        ret
1:      cmpl $BAD_CS_BEYOND_GDT, %ebx
        jne 2f
        movl $BEYOND_GDT, FRAME_CS(%ebp)
        ret
2:      cmpl $BAD_SS_CODE, %ebx
        jne 3f
        movl $USER_CS, FRAME_SS(%ebp)
        ret
3:      andl $~3, FRAME_SS(%ebp)
        ret

# Prints the round once both tasks have come so far: what is printed never depends on who was faster.
        SYSTEM_CALL sys_report
        movl %ebx, TASK_REPORTED(%edi)
        movl TASK_NEXT(%edi), %esi
        cmpl %ebx, TASK_REPORTED(%esi)
        jb 1f
        PRINT text_both
        movl %ebx, %eax
        call print_decimal
        call print_newline
1:      xorl %eax, %eax
        ret

        SYSTEM_CALL sys_exit
        CLI
        cmpl %ebx, TASK_SIGNALS(%edi)
        movl $text_signals, %eax
        jne fail
        movl $STATE_DEAD, TASK_STATE(%edi)
        movl TASK_NEXT(%edi), %esi
        cmpl $STATE_DEAD, TASK_STATE(%esi)
        je all_done
        call schedule
        movl $text_dead_runs, %eax
        jmp fail

FUNCTION all_done
        # Each call came in by one of two ways, and was made by one of two tasks.
        movl thread_a + TASK_CALLS, %eax
        addl thread_b + TASK_CALLS, %eax
        subl int80_calls, %eax
        cmpl sysenter_calls, %eax
        movl $text_calls_differ, %eax
        jne fail
        cmpl $0, ticks
        movl $text_no_tick, %eax
        je fail
        movl $thread_a, %edi
        call print_task
        movl $thread_b, %edi
        call print_task
        movl $totals, %esi
1:      lodsl
        call print
        lodsl
        movl (%eax), %eax
        call print_decimal
        cmpl $totals_end, %esi
        jb 1b
        PRINT text_done
        movb $EXIT_DONE, %al
        jmp exit

# EDI: a task that is done.
FUNCTION print_task
        PRINT text_task
        movl TASK_NAME(%edi), %eax
        call print_char
        PRINT text_made
        movl TASK_CALLS(%edi), %eax
        call print_decimal
        PRINT text_calls
        movl TASK_SIGNALS(%edi), %eax
        call print_decimal
        PRINT text_and_signals
        ret

        SYSTEM_CALL sys_fail
        PRINT text_task
        movl TASK_NAME(%edi), %eax
        call print_char
        PRINT text_round
        movl %esi, %eax
        call print_decimal
        PRINT text_check
        movl %ebx, %eax
        call print_decimal
        call print_newline
        movl $text_user_check, %eax
        jmp fail

        .section .rodata
text_task: .asciz "task "
text_round: .asciz " round "
text_check: .asciz " check "
text_made: .asciz ": "
text_both: .asciz "both tasks: round "
text_calls: .asciz " calls, "
text_and_signals: .asciz " signals\n"
text_signals: .asciz "signals delivered and signals seen differ"
text_calls_differ: .asciz "calls entered and calls served differ"
text_no_tick: .asciz "no timer interrupt has come"
text_dead_runs: .asciz "a dead task runs"
text_user_check: .asciz "a check in user mode (user.s)"
text_done: .asciz "\nDONE\n"
text_total_int80: .asciz "int 0x80 "
text_total_sysenter: .asciz ", sysenter "
text_total_iret: .asciz ", IRET fixups "
text_total_faults: .asciz ", user faults "
        .balign 4
# What doesn't depend on when the timer interrupts.
totals:
        .long text_total_int80, int80_calls
        .long text_total_sysenter, sysenter_calls
        .long text_total_iret, iret_fixups
        .long text_total_faults, user_faults
totals_end:
