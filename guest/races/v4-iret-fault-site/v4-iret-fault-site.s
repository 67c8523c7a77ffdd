# V4: an IRET that is done for the kernel faults in the monitor's code, which the kernel's table of
# fixups doesn't know.

        .include "race.inc"
        RACE "v4-iret-fault-site"

        THREAD_CS = 0x43                # SPARE_SELECTOR at CPL 3

LABEL race
        movl $0x0000ffff, gdt_spare
        movl $0x00cffa00, gdt_spare + 4
        PUSH_USER_FRAME user, user_stack_top
        iretl

LABEL user
        nop
LABEL race_begin
        ljmp $THREAD_CS, $in_thread_cs
LABEL in_thread_cs
        int $VECTOR_SYSCALL
LABEL user_back
        ljmp $USER_CS, $harmless
LABEL harmless
        nop
LABEL race_end
        OK

        GATE VECTOR_SYSCALL, system_call, TRAP_GATE+FROM_USER
LABEL system_call
        nop
LABEL restore_iret
        call monitor_iret               # what a patched IRET looks like

# Another thread takes the segment away.
        GATE VECTOR_IRQ0, tick
LABEL tick
        pushl %eax
        EOI
        movl $0, gdt_spare + 4
        popl %eax
        jmp restore_iret

# The monitor: drops the return address, which names the site, and does the IRET.
LABEL monitor_iret
        popl %ss:monitor_return
LABEL monitor_iret_iret
        iretl

        GATE VECTOR_GP, general_protection
LABEL general_protection
        addl $4, %esp                   # the error code
        testb $3, 4(%esp)
        jnz signal
        .if RIGHT
        # The monitor's part: the fault is reported at the site, 5 bytes before where it returns to.
        cmpl $monitor_iret_iret, (%esp)
        jne 1f
        movl monitor_return, %eax
        subl $5, %eax
        movl %eax, (%esp)
1:
        .endif
        cmpl $restore_iret, (%esp)      # the kernel's table of fixups
        je signal                       # iret_exc: the user gets a signal
        BROKEN "oops: a fault in kernel code that no fixup is for"
signal: OK

        .data
VARIABLE monitor_return
        .long 0
