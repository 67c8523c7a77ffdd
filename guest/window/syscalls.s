# System calls. EBX and ESI are arguments, EBP is the frame, EAX is the result; interrupts are open,
# and any register may change.

        .section .rodata
        .balign 4
sys_call_table:
        .long sys_mix, sys_count, sys_yield, sys_sleep, sys_peek
        .long sys_on_signal, sys_bad_frame, sys_report, sys_exit, sys_fail
        .long sys_trace, sys_preempt, sys_lock
        .long sys_iopl, sys_protect, sys_watch, sys_nmi

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

        SYSTEM_CALL sys_trace
        movb %bl, syscall_trace
        movl TASK_TRACED(%edi), %eax
        ret

# Only here the kernel lets itself be preempted. Which task a tick finds here is the same for both.
        SYSTEM_CALL sys_preempt
        movl preemptions, %eax
        decl preempt_count
1:      pause
        cmpl %eax, preemptions
        je 1b
        incl preempt_count
        xorl %eax, %eax
        ret

# Each task makes as many of these calls as the other. Who comes first has the lock until the other waits for
# it, and only a tick can take the processor from whoever waits.
        SYSTEM_CALL sys_lock
        movl $lock, %ebx
        decl preempt_count
        call spin_lock_irqsave
        incl preempt_count
        pushl %eax
        incl TASK_LOCKS(%edi)
        movl TASK_NEXT(%edi), %esi
        movl spins, %edx
1:      movl TASK_LOCKS(%esi), %eax
        cmpl %eax, TASK_LOCKS(%edi)
        jbe 2f
        cmpl %edx, spins
        jne 2f
        pushl %edx
        call schedule
        popl %edx
        STI
        pause
        CLI
        jmp 1b
2:      popl %eax
        call spin_unlock_irqrestore
        xorl %eax, %eax
        ret

        SYSTEM_CALL sys_iopl
        shll $12, %ebx
        andl $EFLAGS_IOPL, %ebx
        movl %ebx, TASK_IOPL(%edi)
        andl $~EFLAGS_IOPL, FRAME_EFLAGS(%ebp)
        orl %ebx, FRAME_EFLAGS(%ebp)
        movl %ebx, %edx
        call set_iopl
        incl iopls
        xorl %eax, %eax
        ret

# One entry of the page table, changed as Linux changes many: what may wait until the translation is dropped.
        SYSTEM_CALL sys_protect
        LAZY_MODE LAZY_MMU
        movl TASK_PAGE(%edi), %ecx
        movl %ecx, %edx
        shrl $12, %edx
        leal page_table(,%edx,4), %edx
        leal (%ecx,%ebx,PTE_WRITABLE), %eax
        orl $(PTE_PRESENT | PTE_USER), %eax
        movl %eax, %esi
        orl $(PXE_PT | PXE_CURRENT_AS | PXE_DEFER), %ecx
        SET_PXE
        movl TASK_PAGE(%edi), %eax
        INVAL_PAGE
        LAZY_MODE LAZY_OFF
        # The processor may have noted what it did with the page.
        movl TASK_PAGE(%edi), %edx
        shrl $12, %edx
        movl page_table(,%edx,4), %eax
        andl $~(PTE_ACCESSED | PTE_DIRTY), %eax
        cmpl %esi, %eax
        movl $text_entry, %eax
        jne fail
        incl protections
        xorl %eax, %eax
        ret

# Task A has the first register for breakpoints, task B the second.
        SYSTEM_CALL sys_watch
        CLI
        movl %ebx, %edx
        cmpl $thread_a, %edi
        jne 1f
        SET_DR 0
        movl $WATCH_0, %esi
        jmp 2f
1:      SET_DR 1
        movl $WATCH_1, %esi
2:      GET_DR 7
        movl %eax, %edx
        orl %esi, %edx
        testl %ebx, %ebx
        jnz 3f
        xorl %esi, %edx
3:      SET_DR 7
        STI
        xorl %eax, %eax
        ret

        SYSTEM_CALL sys_nmi
        movb $1, nmi_wanted
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
        # There is nobody left to run, so this waits for a tick as the idle loop does.
        SAFE_HALT
        CLI
        incl idle_wakes
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
        call print_newline
        .if ROUNDS >= 4096              # in fewer rounds not every path is taken
        movl $paths, %esi
2:      lodsl
        movl %eax, %ebx
        lodsl
        cmpl $0, (%eax)
        movl $text_no_path, %eax
        je fail
        PRINT text_path
        movl %ebx, %eax
        call print
        call print_newline
        cmpl $paths_end, %esi
        jb 2b
        .endif
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
text_done: .asciz "DONE\n"
text_path: .asciz "ok: "
text_no_path: .asciz "a path was never taken (paths, syscalls.s)"
text_path_resched: .asciz "work_resched"
text_path_signal: .asciz "work_notifysig"
text_path_kernel: .asciz "resume_kernel: preempted in the kernel"
text_path_trace_entry: .asciz "syscall_trace_entry"
text_path_trace_exit: .asciz "syscall_exit_work"
text_path_fixup: .asciz "IRET fixup"
text_path_stack16: .asciz "IRET onto a 16-bit stack"
text_path_fixup16: .asciz "IRET fixup onto a 16-bit stack"
text_path_nmi16: .asciz "NMI on the kernel's 16-bit stack"
text_path_nm: .asciz "device_not_available"
text_path_spin: .asciz "spin loop with interrupts open"
text_path_idle: .asciz "idle: woken by an interrupt"
text_path_iopl: .asciz "IOPL 3: the user has ports"
text_path_protect: .asciz "page-table entry changed"
text_path_watch: .asciz "debug register: a write to a watched word"
text_path_msr: .asciz "RDMSR, WRMSR"
text_path_cpuid: .asciz "CPUID"
text_entry: .asciz "an entry of the page table is not what was stored there"
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
# What must have happened at least once, whenever the timer interrupts.
paths:
        .long text_path_resched, reschedules
        .long text_path_signal, notifications
        .long text_path_kernel, preemptions
        .long text_path_trace_entry, traced_entries
        .long text_path_trace_exit, traced_exits
        .long text_path_fixup, iret_fixups
        .long text_path_stack16, returns16
        .long text_path_fixup16, iret16_fixups
        .long text_path_nmi16, nmis16
        .long text_path_nm, fpu_requests
        .long text_path_spin, spins
        .long text_path_idle, idle_wakes
        .long text_path_iopl, iopls
        .long text_path_protect, protections
        .long text_path_watch, watches
        .long text_path_msr, msrs
        .long text_path_cpuid, cpuids
paths_end:

        .data
        .balign 4
VARIABLE iopls, 4
        .long 0
VARIABLE protections, 4
        .long 0
