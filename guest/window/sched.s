# The timer, and who runs.

        .text
# Called by irq0_entry with EBP = the frame and interrupts closed.
FUNCTION timer_interrupt
        incl ticks
        movb $0x20, %al                 # OCW2: EOI
        outb %al, $PORT_PIC1
        movl $thread_a, %esi
        call wake
        movl $thread_b, %esi
        call wake
        cmpb $0, need_resched
        jne 1f
        # For lost_work: who set the flag.
        movl ticks, %eax
        movl %eax, resched_tick
        movl FRAME_CS(%ebp), %eax
        movl %eax, resched_cs
        movl FRAME_EIP(%ebp), %eax
        movl %eax, resched_eip
LABEL set_need_resched
        movb $1, need_resched
1:      ret

# EBX: a lock, taken with interrupts closed; 1 is free. Who finds it taken waits with interrupts as they
# were before, in EAX. Returns that in EAX. The holder may have been preempted: whoever waits must be, too.
FUNCTION spin_lock_irqsave
        SAVE_FLAGS
        CLI_STRING
1:      decb (%ebx)
        jns 4f
        incl spins
2:      testl $EFLAGS_IF, %eax
        jz 3f
        STI_STRING
3:      pause
        cmpb $0, (%ebx)
        jle 3b
        CLI_STRING
        jmp 1b
4:      ret

# EBX: the lock, EAX: what spin_lock_irqsave gave.
FUNCTION spin_unlock_irqrestore
        movb $1, (%ebx)
        RESTORE_FLAGS
        ret

# ESI: a task, made runnable when it sleeps and its time has come.
FUNCTION wake
        cmpl $STATE_SLEEPING, TASK_STATE(%esi)
        jne 1f
        movl ticks, %eax
        subl TASK_WAKE(%esi), %eax
        js 1f
        movl $STATE_RUNNABLE, TASK_STATE(%esi)
1:      ret

# Lets the other task run if it can, else the present one, else waits. Returns when the present task
# runs again, with EFLAGS.IF as it was. Changes EAX, ECX, EDX.
FUNCTION schedule
        SAVE_FLAGS
        pushl %eax
        pushl %ebp
        pushl %ebx
        pushl %esi
        pushl %edi
        CLI
LABEL schedule_pick
        movb $0, need_resched
        movl current, %esi
        movl TASK_NEXT(%esi), %edi
        cmpl $STATE_RUNNABLE, TASK_STATE(%edi)
        je switch_to
        cmpl $STATE_RUNNABLE, TASK_STATE(%esi)
        je schedule_return
LABEL idle
        SAFE_HALT
        CLI
        incl idle_wakes
        jmp schedule_pick

# ESI: from, EDI: to.
LABEL switch_to
        GET_CR0
        testl $CR0_TS, %eax
        jnz 1f
        cmpl %esi, fpu_owner
        movl $text_fpu, %eax
        jne fail
1:      movzbl signal_pending, %eax
        movl %eax, TASK_SIGNAL_PENDING(%esi)
        movzbl syscall_trace, %eax
        movl %eax, TASK_TRACE(%esi)
        movl preempt_count, %eax
        movl %eax, TASK_PREEMPT(%esi)
        movl %esp, TASK_ESP(%esi)
        movl %edi, current
        incl switches
LABEL switch_stack
        movl TASK_ESP(%edi), %esp
        LAZY_MODE LAZY_CPU
        movl TASK_ESP0(%edi), %edx
        UPDATE_KERNEL_STACK
        movl TASK_ESP0(%edi), %edx
        movl %edx, sysenter_esp0
        movl TASK_IOPL(%edi), %edx
        call set_iopl
        movb TASK_SIGNAL_PENDING(%edi), %al
        movb %al, signal_pending
        movb TASK_TRACE(%edi), %al
        movb %al, syscall_trace
        movl TASK_PREEMPT(%edi), %eax
        movl %eax, preempt_count
        GET_CR0
        orl $CR0_TS, %eax
        SET_CR0
        LAZY_MODE LAZY_OFF
LABEL schedule_return
        popl %edi
        popl %esi
        popl %ebx
        popl %ebp
        popl %eax
        RESTORE_FLAGS
        ret

# EDX: IOPL to be, in its bits of EFLAGS. Changes EAX, ECX, EDX.
FUNCTION set_iopl
        cmpl %edx, iopl
        je 1f
        movl %edx, iopl
        pushfl
        popl %eax
        andl $~EFLAGS_IOPL, %eax
        orl %edx, %eax
        SET_IOPL_MASK
1:      ret

        .section .rodata
text_fpu: .asciz "CR0.TS is clear for a task that does not own the FPU"

        .data
        .balign 4
VARIABLE current, 4
        .long thread_a
VARIABLE thread_a, TASK_BYTES
        .long 0, kernel_stack_a_top, thread_b, STATE_RUNNABLE, 0, 0, 0, 0, 0, 0, 0, 0, 'A', 0, 0, 1, 0, 0, 0, user_page_a
VARIABLE thread_b, TASK_BYTES
        .long 0, kernel_stack_b_top, thread_a, STATE_RUNNABLE, 0, 0, 0, 0, 0, 0, 0, 0, 'B', 0, 0, 1, 0, 0, 0, user_page_b
VARIABLE ticks, 4
        .long 0
VARIABLE switches, 4
        .long 0
VARIABLE idle_wakes, 4
        .long 0
VARIABLE spins, 4
        .long 0
# What IOPL is, as far as the processor or a hypervisor knows, in its bits of EFLAGS.
VARIABLE iopl, 4
        .long 0
VARIABLE lock, 1
        .byte 1
        .balign 4
VARIABLE resched_tick, 4
        .long 0
VARIABLE resched_cs, 4
        .long 0
VARIABLE resched_eip, 4
        .long 0

        .bss
        .balign 4096
        .space 4096
LABEL kernel_stack_a_top
        .space 4096
LABEL kernel_stack_b_top
