# Every way into the kernel and out of it.
#
# The rule that all of it serves: no task enters user mode with work pending. Each exit to user mode
# closes interrupts, tests the flags, and opens interrupts only by the instruction that enters user
# mode: IRET, which loads EFLAGS and CS together, or SYSEXIT in the shadow of STI. An interrupt that
# hits the kernel leaves the flags it sets to the exit that was interrupted, so it must be able to
# trust that this exit has its test still ahead.
#
# And so every entry from user mode may assume that no work is pending, and checks it.

# Completes the frame of layout.inc; the processor or the caller has pushed FRAME_ERROR and what lies
# above. Changes ECX only.
        .macro SAVE_ALL
        pushal
        pushl %ds
        pushl %es
        movl $KERNEL_DS, %ecx
        movl %ecx, %ds
        movl %ecx, %es
        cld
        .endm

# Undoes SAVE_ALL: ESP is left at FRAME_ERROR.
        .macro RESTORE_REGISTERS
        popl %es
        popl %ds
        popal
        .endm

# An exception of the IRET on the 16-bit stack: moves its frame and error code to the 32-bit stack, as if
# the IRET had been there. ESP's upper half is the user's, so until it is cleared only pushes and pops work.
        .macro LEAVE_STACK16
        pushl %eax
        movl %ss, %eax
        andl $0xfffc, %eax
        cmpl $STACK16_SS, %eax
        jne 79f
        movzwl %sp, %esp
        movl %esp, %eax
        lss %ss:STACK16_BACK, %esp
        pushl %ss:stack16 + 16(%eax)    # EFLAGS
        pushl %ss:stack16 + 12(%eax)    # CS
        pushl %ss:stack16 + 8(%eax)     # EIP
        pushl %ss:stack16 + 4(%eax)     # error code
        pushl %ss:stack16(%eax)         # EAX
79:     popl %eax
        .endm

# On entry from user mode, with interrupts still closed: work that is pending now was pending already
# when the task entered user mode. Changes ECX where it is.
        .macro CHECK_NO_WORK name, where
        testl $FLAGS_WORK, thread_flags
        jnz lost_\name
        .pushsection .fixup, "ax"
LABEL lost_\name
        movl $78f, %ecx
        jmp lost_work
        .popsection
        .pushsection .rodata
78:     .asciz "\where"
        .popsection
        .endm

        .text
# SYSENTER comes here with interrupts closed, on a stack whose top word holds the task's own ESP0.
# The user's convention: EBP is its ESP, and it goes on at sysenter_return.
FUNCTION sysenter_entry
        movl (%esp), %esp
LABEL sysenter_past_esp
        pushl $USER_DS
        pushl %ebp
        pushfl
        orl $EFLAGS_IF, (%esp)          # SYSENTER cleared it; user mode always has it set
        pushl $USER_CS
        pushl $sysenter_return
        pushl %eax
        SAVE_ALL
        CHECK_NO_WORK sysenter, "sysenter"
        incl sysenter_calls
        STI
        cmpl $SYS_CALLS, %eax
        jae bad_call
        movl %esp, %ebp
        cmpb $0, syscall_trace
        jne syscall_trace_entry         # which leaves by IRET
        call *sys_call_table(,%eax,4)
        movl %eax, FRAME_EAX(%esp)
LABEL sysenter_exit
        CLI
        testl $FLAGS_ALL_WORK, thread_flags
        jnz syscall_exit_work
        # No work is pending, and until STI nothing can bring any.
        RESTORE_REGISTERS
        movl FRAME_EIP - FRAME_ERROR(%esp), %edx
        movl FRAME_ESP - FRAME_ERROR(%esp), %ecx
        STI_SYSEXIT

FUNCTION system_call
        pushl %eax
        SAVE_ALL
        CHECK_NO_WORK int80, "int 0x80"
        incl int80_calls
        STI
        cmpl $SYS_CALLS, %eax
        jae bad_call
        movl %esp, %ebp
        cmpb $0, syscall_trace
        jne syscall_trace_entry
LABEL syscall_call
        call *sys_call_table(,%eax,4)
        movl %eax, FRAME_EAX(%esp)
LABEL syscall_exit
        CLI
        testl $FLAGS_ALL_WORK, thread_flags
        jnz syscall_exit_work

# To user mode, with nothing left to do. Onto a 16-bit stack IRET would leave the upper half of ESP as it
# is here in the kernel.
LABEL restore_all
        testb $SELECTOR_LDT, FRAME_SS(%esp)
        jnz ldt_ss
LABEL restore_nocheck
        RESTORE_REGISTERS
        addl $4, %esp
LABEL restore_iret
        IRET
        FIXUP restore_iret, iret_exc
        .pushsection .fixup, "ax"
# IRET could not load what the frame says. ESP is still at the frame's EIP and the user's data segments
# are loaded, as if the task had trapped just after it came to user mode.
LABEL iret_exc
        STI
        pushl $0
        SAVE_ALL
        movl %esp, %ebp
        call do_iret_error
        jmp ret_from_exception
        .popsection

# The user's stack may be one of 16 bits. Then IRET pops a copy of the frame from a 16-bit stack of the
# kernel's, where ESP has the user's upper half already, which IRET leaves alone.
LABEL ldt_ss
        larl FRAME_SS(%esp), %eax
        jnz restore_nocheck
        testl $DESCRIPTOR_BIG, %eax
        jnz restore_nocheck
        incl returns16
        cmpb $0, nmi_wanted
        jne 1f
        cmpb $0, rom_pops_stack16
        jne restore_nocheck
1:      CLI
        leal FRAME_EIP(%esp), %esi
        movl %esi, stack16 + STACK16_BACK
        movl $stack16 + STACK16_FRAME, %edi
        movl $5, %ecx
        rep movsl
        movl FRAME_ESP(%esp), %eax
        andl $0xffff0000, %eax
        orl $STACK16_FRAME, %eax
        movl %eax, stack16_pointer
        xorl %eax, %eax
        xchgb %al, nmi_wanted
        testl %eax, %eax
        RESTORE_REGISTERS
        lss %ss:stack16_pointer, %esp   # nothing since TEST changes its flags
LABEL on_stack16
        jnz nmi_on_stack16
LABEL restore16_iret
        IRET
        FIXUP restore16_iret, iret_exc
        .pushsection .fixup, "ax"
# What an NMI would do here, which no kernel can have come by itself.
LABEL nmi_on_stack16
        int $VECTOR_NMI
        jmp restore16_iret
        .popsection

# Tracing a call: before it, and after it.
LABEL syscall_trace_entry
        incl traced_entries
        call trace_call
        movl FRAME_ERROR(%esp), %eax
        jmp syscall_call
LABEL syscall_exit_work
        cmpb $0, syscall_trace
        je work_pending
        STI                             # what traces may take its time
        incl traced_exits
        call trace_call
        jmp resume_userspace
FUNCTION trace_call
        movl current, %edi
        incl TASK_TRACED(%edi)
        ret

FUNCTION irq0_entry
        pushl %eax
        movl %ss, %eax
        andl $0xfffc, %eax
        cmpl $STACK16_SS, %eax
        popl %eax
        je irq0_on_stack16
        pushl $0
        SAVE_ALL
        testb $USER_RPL, FRAME_CS(%esp)
        jz 1f
        CHECK_NO_WORK irq0, "IRQ 0"
1:      movl %esp, %ebp
        call timer_interrupt

FUNCTION ret_from_intr
LABEL ret_from_exception
        # Whoever was interrupted in the kernel tests the flags on its own way out.
        testb $USER_RPL, FRAME_CS(%esp)
        jz resume_kernel
LABEL resume_userspace
        CLI
        testl $FLAGS_WORK, thread_flags
        jz restore_all
LABEL work_pending
        testb $1, need_resched
        jz work_notifysig
LABEL work_resched
        incl reschedules
        STI
        call schedule
        jmp resume_userspace
LABEL work_notifysig
        incl notifications
        movl %esp, %ebp
        call do_signal
        jmp resume_userspace

# Back to the kernel. Where it lets itself be preempted, and was not in the middle of something with
# interrupts closed, another task may run first.
LABEL resume_kernel
        CLI
        cmpl $0, preempt_count
        jne restore_nocheck
LABEL need_resched_kernel
        testb $1, need_resched
        jz restore_nocheck
        testl $EFLAGS_IF, FRAME_EFLAGS(%esp)
        jz restore_nocheck
        incl preempt_count
        incl preemptions
        call schedule
        decl preempt_count
        jmp need_resched_kernel

# Where a task starts: schedule() returns here on its new stack.
FUNCTION ret_from_fork
        jmp resume_userspace

FUNCTION bad_call
        movl $text_bad_call, %eax
        jmp fail

# The slave has nothing unmasked, so IRQ 7 can only be spurious: a request that was gone when the
# processor asked for its vector. The PIC has not put it into service and expects no EOI.
FUNCTION irq7_entry
        pushl $0
        SAVE_ALL
        movb $0x0b, %al                 # OCW3: read the in-service register
        outb %al, $PORT_PIC1
        inb $PORT_PIC1, %al
        testb $0x80, %al
        movl $text_irq7, %eax
        jnz fail
        incl spurious_irqs
        jmp ret_from_intr

# Counts, and touches nothing: it may come on any stack and with any DS.
FUNCTION nmi
        pushl %eax
        movl %ss, %eax
        andl $0xfffc, %eax
        cmpl $STACK16_SS, %eax
        popl %eax
        je nmi_16bit_stack
        incl %ss:nmis
        IRET
# On the 16-bit stack: to the 32-bit one, and back the same way.
LABEL nmi_16bit_stack
        pushl %ss
        pushl %esp
        pushl %eax
        movzwl %sp, %esp
        movl %esp, %eax
        lss %ss:STACK16_BACK, %esp
        pushl %ss:stack16 + 8(%eax)     # SS
        pushl %ss:stack16 + 4(%eax)     # ESP as it was with SS on the stack
        addl $4, (%esp)
        pushl %ss:stack16(%eax)         # EAX
        incl %ss:nmis
        incl %ss:nmis16
        popl %eax
        lss (%esp), %esp
LABEL nmi16_iret
        IRET
        FIXUP nmi16_iret, iret_exc

# No interrupt may come while the kernel is on its 16-bit stack: interrupts are closed until IRET has left
# it. Says where it came, and ends the run.
LABEL irq0_on_stack16
        movzwl %sp, %esp
        movl 8(%esp), %ebx              # EFLAGS
        movl 4(%esp), %ecx              # CS
        movl (%esp), %edx               # EIP
        lss %ss:STACK16_BACK, %esp
        jmp wrong_stack

FUNCTION device_not_available
        pushl $0
        SAVE_ALL
        testb $USER_RPL, FRAME_CS(%esp)
        movl $text_nm_in_kernel, %eax
        jz fail
        CHECK_NO_WORK nm, "#NM"
        incl fpu_requests
        GET_CR0
        testl $CR0_EM, %eax
        jnz device_not_available_emulate
        call math_state_restore
        jmp ret_from_exception
LABEL device_not_available_emulate
        movl $text_emulate, %eax
        jmp fail

# The other exceptions differ in their vector, and in whether the processor pushes an error code.
        .macro EXCEPTION name, vector, error_code=1
FUNCTION \name
        .ifeq \error_code
        pushl $0
        .else
        LEAVE_STACK16
        .endif
        SAVE_ALL
        movl $\vector, %edx
        jmp exception
        .endm

        EXCEPTION divide_error, 0, 0
        EXCEPTION debug, 1, 0
        EXCEPTION breakpoint, 3, 0
        EXCEPTION overflow, 4, 0
        EXCEPTION bounds, 5, 0
        EXCEPTION invalid_opcode, 6, 0
        EXCEPTION double_fault, VECTOR_DF
        EXCEPTION invalid_tss, 10
        EXCEPTION segment_not_present, VECTOR_NP
        EXCEPTION stack_segment, VECTOR_SS
        EXCEPTION general_protection, VECTOR_GP
        EXCEPTION page_fault, VECTOR_PF

FUNCTION exception
        testb $USER_RPL, FRAME_CS(%esp)
        jz 1f
        CHECK_NO_WORK exception, "an exception"
1:      movl %esp, %ebp
        call do_trap
        jmp ret_from_exception

FUNCTION unexpected_vector
        movl $KERNEL_DS, %eax
        movl %eax, %ds
        movl %eax, %es
        movl $text_unexpected_vector, %eax
        jmp fail

        .section .rodata
text_bad_call: .asciz "system call with a number out of range"
text_irq7: .asciz "IRQ 7 is in service, but it is masked"
text_nm_in_kernel: .asciz "#NM in the kernel"
text_emulate: .asciz "#NM with CR0.EM set"
text_unexpected_vector: .asciz "interrupt or exception with a vector that nobody expects"

        .data
        .balign 4
# What keeps the running task from user mode, in bytes that are tested together. There is one processor,
# so the running task's flags are the processor's; schedule() swaps all but need_resched.
        thread_flags = .
VARIABLE need_resched, 1
        .byte 0
VARIABLE signal_pending, 1
        .byte 0
VARIABLE syscall_trace, 1
        .byte 0
        .byte 0
# Above 0 the running task is not preempted in the kernel.
VARIABLE preempt_count, 4
        .long 1
# The next exit to a 16-bit stack is to have an NMI.
VARIABLE nmi_wanted, 1
        .byte 0
        .balign 4
VARIABLE traced_entries, 4
        .long 0
VARIABLE traced_exits, 4
        .long 0
VARIABLE preemptions, 4
        .long 0
VARIABLE reschedules, 4
        .long 0
VARIABLE notifications, 4
        .long 0
VARIABLE returns16, 4
        .long 0
VARIABLE nmis16, 4
        .long 0
VARIABLE fpu_requests, 4
        .long 0
# Where ldt_ss goes.
VARIABLE stack16_pointer, 8
        .long 0
        .long STACK16_SS
        .balign 16
VARIABLE stack16, STACK16_BYTES
        .space STACK16_BACK
        .long 0
        .long KERNEL_DS
VARIABLE sysenter_calls, 4
        .long 0
VARIABLE int80_calls, 4
        .long 0
VARIABLE spurious_irqs, 4
        .long 0
VARIABLE nmis, 4
        .long 0
# An NMI may come before sysenter_entry has left this stack, hence the room below its top word.
        .space 64
VARIABLE sysenter_esp0, 4
        .long 0
