# R5: the stub that leaves the kernel reaches memory through DS, which is the user's by then.

        .include "race.inc"
        RACE "r05-iret-ds"

        THREAD_DS = 0x43                # SPARE_SELECTOR at CPL 3

LABEL race
        movl $0x0000ffff, gdt_spare
        movl $0x00cff200, gdt_spare + 4
        PUSH_USER_FRAME user, user_stack_top
        iretl

LABEL user
        movl $THREAD_DS, %eax
LABEL race_begin
        nop
LABEL load_ds
        movl %eax, %ds
LABEL loaded
        int $VECTOR_SYSCALL
LABEL user_back
        movl $USER_DS, %eax
LABEL user_done
        movl %eax, %ds
LABEL harmless
        nop
LABEL race_end
        OK

        .macro SAVE_ALL
        pushl %eax
        pushl %ds
        movl $USER_DS, %eax
        movl %eax, %ds
        .endm

        GATE VECTOR_SYSCALL, system_call, TRAP_GATE+FROM_USER
LABEL system_call
        SAVE_ALL
LABEL system_call_work
        movb $1, events_masked
LABEL restore_all
        popl %ds                        # a selector that is bad by now becomes null: see below
LABEL restore_eax
        popl %eax
LABEL stub
        .if RIGHT
        movb $0, %ss:events_masked
        .else
        movb $0, events_masked
        .endif
LABEL stub_iret
        iretl

        GATE VECTOR_GP, general_protection
LABEL general_protection
        addl $4, %esp                   # the error code
        testb $3, 4(%esp)
        jnz signal
        cmpl $restore_all, (%esp)
        je null_ds
        cmpl $stub, (%esp)
        je oops
        FAILED "#GP elsewhere"
null_ds:
        movl $0, 12(%esp)
        iretl
oops:   BROKEN "#GP in the kernel's exit, with the user's DS"
signal: OK                              # the user's own fault

# Another thread takes the segment away.
        GATE VECTOR_IRQ0, tick
LABEL tick
        SAVE_ALL
        EOI
        movl $0, gdt_spare + 4
        jmp restore_all

        .data
VARIABLE events_masked, 1
        .byte 0
