# The two tasks. They run the same code at CPL 3, each with its own stack and its own data, and check
# everything that the kernel gives back. What fails is reported by SYS_FAIL with the check's number.

# A task's data, found through EBP in all of the task's code.
        TASK_ROUND = 0
        TASK_SEED = 4
        TASK_CALLS_MADE = 8
        TASK_SIGNALS_SEEN = 12
        TASK_PHASE = 16                 # added to the round: the tasks do special things at other times
        TASK_UNTIL_REPORT = 20
        TASK_EXPECT_VECTOR = 24
        TASK_EXPECT_ERROR = 28
        TASK_EXPECT_ADDRESS = 32
        TASK_RESUME = 36                # where to go on after the expected signal
        TASK_FAR = 40                   # a stack pointer with its selector
        TASK_USER_PAGE = 48             # its page that SYS_PROTECT protects
        TASK_WATCHER = 52               # what DR6 shows of its breakpoint
        TASK_WATCHED = 56               # a word
        TASK_USER_BYTES = 60

        KEPT = 0x5a17c0de               # some value that a call must leave in its register
        UPPER = 0x5a170000              # the same for the upper half of ESP on a 16-bit stack

        .macro CALL_INT80 call
        movl $\call, %eax
        incl %ds:TASK_CALLS_MADE(%ebp)
        int $0x80
        .endm

        .macro CALL_SYSENTER call
        movl $\call, %eax
        incl TASK_CALLS_MADE(%ebp)
        call user_sysenter
        .endm

# Goes on if the flags say "equal".
        .macro CHECK number
        pushl $\number
        jne user_failed
        leal 4(%esp), %esp
        .endm

# Skips to `otherwise` unless (round + phase) & mask is `value`. Leaves round + phase in EAX.
        .macro ONCE_IN mask, value, otherwise
        movl TASK_ROUND(%ebp), %eax
        addl TASK_PHASE(%ebp), %eax
        movl %eax, %ecx
        andl $\mask, %ecx
        cmpl $\value, %ecx
        jne \otherwise
        .endm

        .section .user_text, "ax"
FUNCTION task_a
        movl $user_a, %ebp
        jmp task
FUNCTION task_b
        movl $user_b, %ebp

FUNCTION task
        movl $on_signal, %ebx
        CALL_INT80 SYS_ON_SIGNAL

LABEL user_round
        # Work that takes a varying time, so that the timer does not fall into step with the rounds.
        movl TASK_SEED(%ebp), %ebx
        movl %ebx, %ecx
        andl $15, %ecx
        addl $4, %ecx
LABEL user_work
        movl %ebx, %eax
        shll $13, %eax
        xorl %eax, %ebx
        movl %ebx, %eax
        shrl $17, %eax
        xorl %eax, %ebx
        movl %ebx, %eax
        shll $5, %eax
        xorl %eax, %ebx
        decl %ecx
        jnz user_work
        movl %ebx, TASK_SEED(%ebp)

        pushfl
        popl %eax
        andl $0x3200, %eax              # IF is set, IOPL is 0
        cmpl $EFLAGS_IF, %eax
        CHECK 1
        movl %cs, %eax
        cmpl $USER_CS, %eax
        CHECK 2

        movl TASK_ROUND(%ebp), %esi
        movl $KEPT, %edi
        CALL_INT80 SYS_MIX
        call check_mix

        movl TASK_SEED(%ebp), %ebx
        CALL_SYSENTER SYS_MIX
        call check_mix

        CALL_SYSENTER SYS_COUNT
        cmpl TASK_CALLS_MADE(%ebp), %eax
        CHECK 3

        ONCE_IN 15, 0, 1f
LABEL user_wait
        wait                            # traps when CR0.TS is set
1:
LABEL user_special
        ONCE_IN 63, 3, 1f
        CALL_SYSENTER SYS_YIELD
1:
        ONCE_IN 127, 5, 1f
        call bad_frame
1:
        ONCE_IN 127, 9, 1f
        call probe
1:
        ONCE_IN 127, 12, 1f
        call peek
1:
        ONCE_IN 15, 14, 1f
        call user_stack16
1:
        ONCE_IN 127, 21, 1f
        call trace
1:
        ONCE_IN 127, 25, 1f
        call bad_frame16
1:
        ONCE_IN 127, 29, 1f
        call nmi16
1:
        ONCE_IN 127, 33, 1f
        call ports
1:
        ONCE_IN 127, 37, 1f
        call protect
1:
        ONCE_IN 127, 43, 1f
        call watch
1:
        ONCE_IN 2047, 1101, 1f
        CALL_INT80 SYS_PREEMPT
1:
        # The same round for both: who comes first waits for the other.
        movl TASK_ROUND(%ebp), %eax
        andl $2047, %eax
        cmpl $1213, %eax
        jne 1f
        CALL_INT80 SYS_LOCK
1:
        ONCE_IN 4095, 515, 1f
        movl $2, %ebx
        CALL_INT80 SYS_SLEEP
1:
        incl TASK_ROUND(%ebp)
        decl TASK_UNTIL_REPORT(%ebp)
        jnz user_round
        movl $(ROUNDS / 8), TASK_UNTIL_REPORT(%ebp)
        movl TASK_ROUND(%ebp), %ebx
        CALL_SYSENTER SYS_REPORT
        cmpl $ROUNDS, TASK_ROUND(%ebp)
        jb user_round
        movl TASK_SIGNALS_SEEN(%ebp), %ebx
        CALL_INT80 SYS_EXIT
        cmpl %ebp, %esp                 # never equal: nobody returns from SYS_EXIT
        CHECK 4

# After SYS_MIX: EAX is the result, the arguments and EDI must be what they were.
FUNCTION check_mix
        cmpl TASK_SEED(%ebp), %ebx
        CHECK 5
        cmpl TASK_ROUND(%ebp), %esi
        CHECK 6
        cmpl $KEPT, %edi
        CHECK 7
        roll $5, %ebx
        addl %esi, %ebx
        cmpl %ebx, %eax
        CHECK 8
        ret

# Has the kernel return through a frame that IRET refuses. EAX: round + phase.
FUNCTION bad_frame
        shrl $7, %eax
        andl $3, %eax
        movl %eax, %ebx
        movl bad_frame_expected(,%eax,8), %ecx
        movl %ecx, TASK_EXPECT_VECTOR(%ebp)
        movl bad_frame_expected + 4(,%eax,8), %ecx
        movl %ecx, TASK_EXPECT_ERROR(%ebp)
        movl $0, TASK_EXPECT_ADDRESS(%ebp)
        movl $1f, TASK_RESUME(%ebp)
        CALL_INT80 SYS_BAD_FRAME
        cmpl %ebp, %esp                 # never equal: the call must not return
        CHECK 9
1:      ret

# To a 16-bit stack, where EBP and ESP lead to nothing without a prefix: the same memory as before, with
# something in the upper half of ESP. EDX keeps the way back, EDI is ESP as it must stay.
        .macro ENTER_STACK16
        movl %esp, %edx
        movl %esp, %edi
        subl $user_text, %edi
        orl $UPPER, %edi
        movl %edi, TASK_FAR(%ebp)
        movl $USER_SS16, TASK_FAR + 4(%ebp)
        lss TASK_FAR(%ebp), %esp
        .endm

        .macro LEAVE_USER_STACK16
        movl %edx, %ds:TASK_FAR(%ebp)
        movl $USER_DS, %ds:TASK_FAR + 4(%ebp)
        lss %ds:TASK_FAR(%ebp), %esp
        .endm

# Calls the kernel on a 16-bit stack.
FUNCTION user_stack16
        ENTER_STACK16
        movl %ds:TASK_SEED(%ebp), %ebx
        movl %ds:TASK_ROUND(%ebp), %esi
        CALL_INT80 SYS_MIX
        cmpl %esp, %edi
        CHECK 16
        movl $8, %ecx
LABEL user_on_stack16
        decl %ecx
        jnz user_on_stack16
        cmpl %esp, %edi
        CHECK 17
        LEAVE_USER_STACK16
        movl $KEPT, %edi
        jmp check_mix

# The same through a frame that IRET refuses.
FUNCTION bad_frame16
        movl $VECTOR_NP, TASK_EXPECT_VECTOR(%ebp)
        movl $(ABSENT_CS & ~3), TASK_EXPECT_ERROR(%ebp)
        movl $0, TASK_EXPECT_ADDRESS(%ebp)
        movl $1f, TASK_RESUME(%ebp)
        ENTER_STACK16
        movl %edx, %esi
        movl $BAD_CS_ABSENT, %ebx
        CALL_INT80 SYS_BAD_FRAME
        cmpl %ebp, %esp                 # never equal: the call must not return
        CHECK 18
1:      cmpl %esp, %edi
        CHECK 19
        movl %esi, %edx
        LEAVE_USER_STACK16
        ret

# Returns to a 16-bit stack with an NMI on the way.
FUNCTION nmi16
        ENTER_STACK16
        CALL_INT80 SYS_NMI
        cmpl %esp, %edi
        CHECK 21
        LEAVE_USER_STACK16
        ret

# What needs IOPL 3, with it. probe_out finds that it is gone again.
FUNCTION ports
        movl $3, %ebx
        CALL_INT80 SYS_IOPL
        outb %al, $0x80
        CALL_SYSENTER SYS_COUNT
        outb %al, $0x80
        xorl %ebx, %ebx
        CALL_INT80 SYS_IOPL
        ret

# Has its page closed to writes, and opened again.
FUNCTION protect
        movl TASK_USER_PAGE(%ebp), %edi
        movl $KEPT, (%edi)
        xorl %ebx, %ebx
        CALL_SYSENTER SYS_PROTECT
        movl $VECTOR_PF, TASK_EXPECT_VECTOR(%ebp)
        movl $7, TASK_EXPECT_ERROR(%ebp)
        movl %edi, TASK_EXPECT_ADDRESS(%ebp)
        movl $1f, TASK_RESUME(%ebp)
LABEL protect_write
        movl %ebp, (%edi)
        cmpl %ebp, %esp                 # never equal: the instruction must trap
        CHECK 22
1:      cmpl $KEPT, (%edi)
        CHECK 23
        movl $1, %ebx
        CALL_INT80 SYS_PROTECT
        movl %ebp, (%edi)
        cmpl %ebp, (%edi)
        CHECK 24
        ret

# Has a word watched: the write is done, and is a signal.
FUNCTION watch
        leal TASK_WATCHED(%ebp), %ebx
        movl $0, (%ebx)
        CALL_SYSENTER SYS_WATCH
        movl $VECTOR_DB, TASK_EXPECT_VECTOR(%ebp)
        movl TASK_WATCHER(%ebp), %eax
        movl %eax, TASK_EXPECT_ERROR(%ebp)
        movl $0, TASK_EXPECT_ADDRESS(%ebp)
        movl $1f, TASK_RESUME(%ebp)
LABEL watch_write
        movl %ebp, TASK_WATCHED(%ebp)
        cmpl %ebp, %esp                 # never equal: the instruction must trap
        CHECK 25
1:      cmpl %ebp, TASK_WATCHED(%ebp)
        CHECK 26
        xorl %ebx, %ebx
        CALL_INT80 SYS_WATCH
        movl %ebx, TASK_WATCHED(%ebp)
        ret

# Has calls by both ways traced: their entry and their exit.
FUNCTION trace
        movl $1, %ebx
        CALL_INT80 SYS_TRACE
        pushl %eax
        movl TASK_SEED(%ebp), %ebx
        movl TASK_ROUND(%ebp), %esi
        movl $KEPT, %edi
        CALL_SYSENTER SYS_MIX
        call check_mix
        movl TASK_SEED(%ebp), %ebx
        CALL_INT80 SYS_MIX
        call check_mix
        xorl %ebx, %ebx
        CALL_SYSENTER SYS_TRACE
        # The exit that turned it on, two calls, and the entry that turned it off.
        popl %ecx
        subl %ecx, %eax
        cmpl $6, %eax
        CHECK 20
        ret

# Does one thing that a task may not do. EAX: round + phase.
FUNCTION probe
        shrl $7, %eax
        xorl %edx, %edx
        movl $PROBES, %ecx
        divl %ecx
        shll $4, %edx
        movl probes + 4(%edx), %ecx
        movl %ecx, TASK_EXPECT_VECTOR(%ebp)
        movl probes + 8(%edx), %ecx
        movl %ecx, TASK_EXPECT_ERROR(%ebp)
        movl probes + 12(%edx), %ecx
        movl %ecx, TASK_EXPECT_ADDRESS(%ebp)
        movl $1f, TASK_RESUME(%ebp)
        jmp *probes(%edx)
1:      ret

        .macro PROBE name, instruction:vararg
LABEL \name
        \instruction
        cmpl %ebp, %esp                 # never equal: the instruction must trap
        CHECK 10
        .endm

        PROBE probe_read_kernel, movl kernel_text, %eax
        PROBE probe_write_kernel, movl %eax, need_resched
        PROBE probe_write_code, movl %eax, user_text
        PROBE probe_read_null, movl 0, %eax
        PROBE probe_write_null, movl %eax, 16
        PROBE probe_cli, .byte 0xfa         # not the macro: nobody may patch it
        PROBE probe_hlt, hlt
        PROBE probe_cr0, movl %cr0, %eax
        PROBE probe_out, outb %al, $0x80
        PROBE probe_int, int $0x20
        PROBE probe_ud2, ud2
        PROBE probe_int3, int3

# The kernel's own access to user memory goes through the fixup table.
FUNCTION peek
        movl $task_a, %ebx
        CALL_SYSENTER SYS_PEEK
        cmpl $0xbd, %eax                # movl $imm, %ebp
        CHECK 11
        xorl %ebx, %ebx
        CALL_SYSENTER SYS_PEEK
        cmpl $EFAULT, %eax
        CHECK 12
        ret

# Signals come here: EAX = vector, EDX = error code, ECX = address.
FUNCTION on_signal
        incl %ds:TASK_SIGNALS_SEEN(%ebp)
        cmpl %ds:TASK_EXPECT_VECTOR(%ebp), %eax
        CHECK 13
        cmpl %ds:TASK_EXPECT_ERROR(%ebp), %edx
        CHECK 14
        cmpl %ds:TASK_EXPECT_ADDRESS(%ebp), %ecx
        CHECK 15
        movl $0, %ds:TASK_EXPECT_VECTOR(%ebp)
        jmp *%ds:TASK_RESUME(%ebp)

# SYSENTER saves nothing: EBP carries ESP, and SYSEXIT needs ECX and EDX.
FUNCTION user_sysenter
        pushl %ecx
        pushl %edx
        pushl %ebp
        movl %esp, %ebp
        sysenter
LABEL sysenter_return
        popl %ebp
        popl %edx
        popl %ecx
        ret

# The number of the check lies on the stack.
FUNCTION user_failed
        popl %ebx
        movl %ds:TASK_ROUND(%ebp), %esi
        CALL_INT80 SYS_FAIL
        ud2

# vector and error code, in the order of BAD_*
        .balign 4
bad_frame_expected:
        .long VECTOR_NP, ABSENT_CS & ~3
        .long VECTOR_GP, BEYOND_GDT & ~3
        .long VECTOR_GP, USER_CS & ~3
        .long VECTOR_GP, USER_DS & ~3

# where, vector, error code, address. Error codes of page faults: 1 = the page is there, 2 = write,
# 4 = from user mode.
probes:
        .long probe_read_kernel, VECTOR_PF, 5, kernel_text
        .long probe_write_kernel, VECTOR_PF, 7, need_resched
        .long probe_write_code, VECTOR_PF, 7, user_text
        .long probe_read_null, VECTOR_PF, 4, 0
        .long probe_write_null, VECTOR_PF, 6, 16
        .long probe_cli, VECTOR_GP, 0, 0
        .long probe_hlt, VECTOR_GP, 0, 0
        .long probe_cr0, VECTOR_GP, 0, 0
        .long probe_out, VECTOR_GP, 0, 0
        .long probe_int, VECTOR_GP, 0x20 * 8 + 2, 0
        .long probe_ud2, 6, 0, 0
        .long probe_int3, 3, 0, 0
        PROBES = (. - probes) / 16

        .section .user_data, "aw"
        .balign 4
VARIABLE user_a, TASK_USER_BYTES
        .long 0, 0x2545f491, 0, 0, 0, ROUNDS / 8, 0, 0, 0, 0, 0, 0, user_page_a, 1, 0
VARIABLE user_b, TASK_USER_BYTES
        .long 0, 0x6c078965, 0, 0, 40, ROUNDS / 8, 0, 0, 0, 0, 0, 0, user_page_b, 2, 0

        .section .user_bss, "aw", @nobits
        .balign 4096
        .space 4096
LABEL user_stack_a_top
        .space 4096
LABEL user_stack_b_top
VARIABLE user_page_a, 4096
        .space 4096
VARIABLE user_page_b, 4096
        .space 4096
